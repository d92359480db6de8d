// echo_load PORT CONVERSATIONS SECONDS: the load for echo, the same for every
// server. One thread, one epoll loop. Each conversation sends a line of 64
// bytes, waits for the same line, checks it, and sends the next. The first
// half second is a warm-up and is not counted. It prints "REQUESTS SECONDS P50
// P99": the time from a request to its whole reply, in microseconds, that half
// of the requests and 99 in 100 took at most.
//
// Every line is different: a server that answered with old or another caller's
// bytes would be caught. `conversation number dots newline`:
//
//     000042 000000000007 ...........................................
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, ID_DIGITS = 6, DIGITS = 12, NUMBER_AT = ID_DIGITS + 1, PATIENCE_MS = 5000 };
static const double WARM_UP = 0.5;

struct conversation {
    int fd;
    size_t heard;
    double asked_at;
    unsigned long long number;
    char asked[SIZE];
    char reply[SIZE];
};

// How many replies took so many tenths of a microsecond; a second or more goes
// into the last. Only the pages that are used take memory.
enum { TENTHS = 10 * 1000 * 1000 };
static unsigned took[TENTHS];
static int counting; // the warm-up is over

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int call(int port) {
    int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("echo_load: connect");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) die("echo_load: fcntl");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void put_number(char *to, int digits, unsigned long long n) {
    for (int i = digits - 1; i >= 0; i--, n /= 10) to[i] = (char)('0' + n % 10);
}

static void note(double seconds) {
    if (!counting) return;
    double tenths = seconds * 1e7;
    took[tenths < TENTHS - 1 ? (size_t)tenths : TENTHS - 1]++;
}

// quantile returns the microseconds that the given share of all answers took at most.
static double quantile(double share, unsigned long long answered) {
    double left = share * (double)answered;
    size_t i = 0;
    for (; i < TENTHS - 1 && left > took[i]; i++) left -= took[i];
    return (double)(i + 1) / 10;
}

// ask sends the next request; at is the time.
static void ask(struct conversation *c, double at) {
    c->asked_at = at;
    put_number(c->asked + NUMBER_AT, DIGITS, c->number++);
    c->heard = 0;
    if (write(c->fd, c->asked, SIZE) != SIZE) die("echo_load: write");
}

// hear takes what has come and returns 1 when the reply is whole.
static int hear(struct conversation *c) {
    ssize_t n = read(c->fd, c->reply + c->heard, SIZE - c->heard);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) {
        fprintf(stderr, "echo_load: the server ended a conversation: %s\n", n ? strerror(errno) : "end of file");
        exit(1);
    }
    c->heard += (size_t)n;
    if (c->heard < SIZE) return 0;
    if (memcmp(c->reply, c->asked, SIZE) != 0) {
        fprintf(stderr, "echo_load: the reply is not the request\n");
        exit(1);
    }
    return 1;
}

static struct conversation *open_all(int epoll, int port, int count) {
    struct conversation *all = calloc((size_t)count, sizeof *all);
    if (!all) die("echo_load: calloc");
    for (int i = 0; i < count; i++) {
        all[i].fd = call(port);
        memset(all[i].asked, '.', SIZE);
        put_number(all[i].asked, ID_DIGITS, (unsigned long long)i);
        all[i].asked[NUMBER_AT - 1] = all[i].asked[NUMBER_AT + DIGITS] = ' ';
        all[i].asked[SIZE - 1] = '\n';
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0) die("echo_load: epoll_ctl");
    }
    return all;
}

// talk keeps the conversations going until the clock says until, and returns
// how many requests were answered.
static unsigned long long talk(int epoll, double until) {
    unsigned long long answered = 0;
    struct epoll_event events[1024];
    while (now() < until) {
        int n = epoll_wait(epoll, events, 1024, PATIENCE_MS);
        if (n == 0) {
            fprintf(stderr, "echo_load: no reply for %d ms\n", PATIENCE_MS);
            exit(1);
        }
        for (int i = 0; i < n; i++) {
            struct conversation *c = events[i].data.ptr;
            if (!hear(c)) continue;
            double at = now();
            answered++;
            note(at - c->asked_at);
            ask(c, at);
        }
    }
    return answered;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: echo_load PORT CONVERSATIONS SECONDS\n");
        return 2;
    }
    int count = atoi(argv[2]);
    int epoll = epoll_create1(0);
    if (epoll < 0) die("echo_load: epoll_create1");
    struct conversation *all = open_all(epoll, atoi(argv[1]), count);
    for (int i = 0; i < count; i++) ask(&all[i], now());

    talk(epoll, now() + WARM_UP);
    counting = 1;
    double start = now();
    unsigned long long answered = talk(epoll, start + atof(argv[3]));
    printf("%llu %.6f %.1f %.1f\n", answered, now() - start, quantile(0.5, answered), quantile(0.99, answered));
    return 0;
}
