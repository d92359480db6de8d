// echo_server PORT: the measure for echo. One thread, one level-triggered
// epoll loop: wait, read what is there, write it back.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char block[64 * 1024];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port) {
    int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) die("echo_server: socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("echo_server: bind");
    if (listen(fd, 4096) < 0) die("echo_server: listen");
    return fd;
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("echo_server: epoll_ctl");
}

static void accept_callers(int epoll, int listener) {
    for (;;) {
        int one = 1;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return; // all taken
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(epoll, fd);
    }
}

// write_back writes all n bytes. A full socket is waited for: with requests
// of 64 bytes and one outstanding each, that does not happen.
static int write_back(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t written = write(fd, p, n);
        if (written < 0) {
            if (errno != EAGAIN) return -1;
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            poll(&room, 1, -1);
            continue;
        }
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

static void echo(int fd) {
    ssize_t n = read(fd, block, sizeof block);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || write_back(fd, block, (size_t)n) < 0) close(fd);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: echo_server PORT\n");
        return 2;
    }
    int listener = listen_on(atoi(argv[1]));
    int epoll = epoll_create1(0);
    if (epoll < 0) die("echo_server: epoll_create1");
    watch(epoll, listener);

    struct epoll_event events[1024];
    for (;;) {
        int n = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_callers(epoll, listener);
            else
                echo(events[i].data.fd);
        }
    }
}
