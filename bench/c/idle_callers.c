// idle_callers PORT COUNT EXCHANGE: opens COUNT conversations with
// 127.0.0.1:PORT and leaves them idle until standard input ends. With EXCHANGE
// 1 each of them first sends one line of 64 bytes and hears it back, so that
// what a server keeps after a first exchange is measured too.
//
// Each 10,000 conversations leave from an address of their own (127.0.0.2, .3,
// ...), so that source ports do not run short.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64, CALLERS_AN_ADDRESS = 10000 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

// allow_descriptors takes as many as this user may have: a shell often gives
// less. Go programs do so by themselves.
static void allow_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("idle_callers: getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("idle_callers: setrlimit");
}

static int call(int port, int i) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (unsigned)(i / CALLERS_AN_ADDRESS));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) die("idle_callers: socket");
    // The port is chosen by connect, when the other end is known: one that
    // waits for another listener's last packets can then be used again.
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("idle_callers: bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("idle_callers: connect");
    return fd;
}

static void exchange(int fd) {
    char asked[SIZE], reply[SIZE];
    memset(asked, 'x', SIZE);
    asked[SIZE - 1] = '\n';
    if (write(fd, asked, SIZE) != SIZE) die("idle_callers: write");
    if (recv(fd, reply, SIZE, MSG_WAITALL) != SIZE) die("idle_callers: read");
    if (memcmp(asked, reply, SIZE) != 0) {
        fprintf(stderr, "idle_callers: the reply is not the request\n");
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: idle_callers PORT COUNT EXCHANGE\n");
        return 2;
    }
    allow_descriptors();
    int count = atoi(argv[2]);
    for (int i = 0; i < count; i++) {
        int fd = call(atoi(argv[1]), i);
        if (atoi(argv[3])) exchange(fd);
    }
    puts("ready");
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0) {
    }
    return 0;
}
