// echo_server PORT: the measure for echo, and the server behind relays. It
// listens on four addresses, 127.0.0.1 to 127.0.0.4, so that a relay has four
// times as many ports to call it from. One thread, one level-triggered
// epoll loop: wait, read what is there, write it back.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDRESSES = 4 };

static char block[64 * 1024];
static int listeners[ADDRESSES];

static void die(const char *what) {
    perror(what);
    exit(1);
}

// allow_descriptors takes as many as this user may have: a shell often gives
// less. Go programs do so by themselves.
static void allow_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("echo_server: getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("echo_server: setrlimit");
}

static int listen_on(unsigned address, int port) {
    int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    at.sin_addr.s_addr = htonl(address);
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

static int is_listener(int fd) {
    for (int i = 0; i < ADDRESSES; i++)
        if (listeners[i] == fd) return 1;
    return 0;
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
    allow_descriptors();
    int epoll = epoll_create1(0);
    if (epoll < 0) die("echo_server: epoll_create1");
    for (int i = 0; i < ADDRESSES; i++) {
        listeners[i] = listen_on(INADDR_LOOPBACK + (unsigned)i, atoi(argv[1]));
        watch(epoll, listeners[i]);
    }

    struct epoll_event events[1024];
    for (;;) {
        int n = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < n; i++) {
            if (is_listener(events[i].data.fd))
                accept_callers(epoll, events[i].data.fd);
            else
                echo(events[i].data.fd);
        }
    }
}
