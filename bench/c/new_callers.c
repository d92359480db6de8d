// new_callers PORT AT_ONCE SECONDS SAY WANT: the load for new conversations,
// the same for every server. One thread, one epoll loop, and AT_ONCE
// conversations at the same time. Each of them connects, writes SAY, reads
// until it has heard WANT, says its end (only if it has said something: a
// server may take an end for a wish to stop), reads the server's end, and
// closes; then the next takes its place. The first half second is a warm-up
// and is not counted. It prints "CONVERSATIONS SECONDS".
//
// Who says its end first keeps the port for a minute (TIME_WAIT). So that
// ports do not run short, the conversations leave in turn from 127.0.0.2 to
// 127.0.0.201, which is room for more than 5 million of them in that minute.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES = 200, PATIENCE_MS = 5000 };
static const double WARM_UP = 0.5;

struct conversation {
    int fd;
    size_t heard;
};

static int epoll, port;
static const char *say, *want;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void wrong(const char *what) {
    fprintf(stderr, "new_callers: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int call(void) {
    static unsigned next;
    int one = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + next++ % ADDRESSES);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) die("new_callers: socket");
    // The port is chosen by connect, when the other end is known: one that
    // waits for another server's last packets can then be used again.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("new_callers: bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("new_callers: connect");
    return fd;
}

static void begin(struct conversation *c) {
    size_t size = strlen(say);
    c->fd = call();
    c->heard = 0;
    if (size > 0 && write(c->fd, say, size) != (ssize_t)size) die("new_callers: write");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("new_callers: epoll_ctl");
}

// hear takes what has come and returns 1 when the conversation has ended.
static int hear(struct conversation *c) {
    char reply[256];
    ssize_t n = recv(c->fd, reply, sizeof reply, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) die("new_callers: read");
    size_t size = strlen(want);
    if (n == 0) {
        if (c->heard < size) wrong("the server ended a conversation before its reply was whole");
        return 1;
    }
    if ((size_t)n > size - c->heard || memcmp(reply, want + c->heard, (size_t)n) != 0) wrong("this is not the reply");
    c->heard += (size_t)n;
    if (c->heard == size && say[0] && shutdown(c->fd, SHUT_WR) < 0) die("new_callers: shutdown");
    return 0;
}

// call_until keeps the conversations going until the clock says until, and
// returns how many have ended.
static unsigned long long call_until(double until) {
    unsigned long long held = 0;
    struct epoll_event events[1024];
    while (now() < until) {
        int n = epoll_wait(epoll, events, 1024, PATIENCE_MS);
        if (n == 0) wrong("nothing came from the server for 5 s");
        for (int i = 0; i < n; i++) {
            struct conversation *c = events[i].data.ptr;
            if (!hear(c)) continue;
            held++;
            close(c->fd);
            begin(c);
        }
    }
    return held;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: new_callers PORT AT_ONCE SECONDS SAY WANT\n");
        return 2;
    }
    port = atoi(argv[1]);
    int at_once = atoi(argv[2]);
    say = argv[4];
    want = argv[5];
    epoll = epoll_create1(0);
    if (epoll < 0) die("new_callers: epoll_create1");
    struct conversation *all = calloc((size_t)at_once, sizeof *all);
    if (!all) die("new_callers: calloc");
    for (int i = 0; i < at_once; i++) begin(&all[i]);

    call_until(now() + WARM_UP);
    double start = now();
    unsigned long long held = call_until(start + atof(argv[3]));
    printf("%llu %.6f\n", held, now() - start);
    return 0;
}
