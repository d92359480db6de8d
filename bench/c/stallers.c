// stallers PORT COUNT: opens COUNT conversations with 127.0.0.1:PORT, each of
// which sends lines for as long as the socket takes them, and reads nothing,
// ever. When for a second no socket has taken anything, it prints "ready", and
// it goes on trying until standard input ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 64, LINES_A_WRITE = 256, STUCK_MS = 1000 };

static char block[LINE * LINES_A_WRITE];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int call(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("stallers: connect");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) die("stallers: fcntl");
    return fd;
}

static void send_some(int fd) {
    if (write(fd, block, sizeof block) < 0 && errno != EAGAIN) die("stallers: write");
}

// send_all sends on every socket that has room, and returns when for ms
// milliseconds none had, or when standard input has ended.
static int send_all(struct pollfd *all, int count, int ms) {
    for (;;) {
        int n = poll(all, (nfds_t)count + 1, ms);
        if (n < 0) die("stallers: poll");
        if (n == 0) return 1;
        if (all[count].revents) return 0;
        for (int i = 0; i < count; i++)
            if (all[i].revents) send_some(all[i].fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: stallers PORT COUNT\n");
        return 2;
    }
    int count = atoi(argv[2]);
    memset(block, 'x', sizeof block);
    for (int i = LINE - 1; i < (int)sizeof block; i += LINE) block[i] = '\n';
    struct pollfd *all = calloc((size_t)count + 1, sizeof *all); // the last one is standard input
    if (!all) die("stallers: calloc");
    for (int i = 0; i < count; i++) all[i] = (struct pollfd){.fd = call(atoi(argv[1])), .events = POLLOUT};
    all[count] = (struct pollfd){.fd = 0, .events = POLLIN};

    if (!send_all(all, count, STUCK_MS)) return 0;
    puts("ready");
    fflush(stdout);
    send_all(all, count, -1);
    return 0;
}
