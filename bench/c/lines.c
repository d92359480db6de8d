// lines PORT ID COUNT: one caller. It connects to 127.0.0.1:PORT, says so,
// waits for the end of standard input (so that all callers start together),
// and then sends COUNT lines of 100 bytes as fast as the socket takes them:
//
//     c3 000000000042 ......................................\n
//
// ID is one digit; the number counts this caller's lines from 0.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 100, DIGITS = 12, NUMBER_AT = 3, LINES_A_WRITE = 640 };

static char block[LINE * LINES_A_WRITE];

static void blank_lines(char id) {
    memset(block, '.', sizeof block);
    for (int i = 0; i < LINES_A_WRITE; i++) {
        char *line = block + i * LINE;
        line[0] = 'c';
        line[1] = id;
        line[2] = ' ';
        line[NUMBER_AT + DIGITS] = ' ';
        line[LINE - 1] = '\n';
    }
}

static void put_number(char *line, unsigned long long n) {
    for (int i = DIGITS - 1; i >= 0; i--, n /= 10)
        line[NUMBER_AT + i] = (char)('0' + n % 10);
}

static int call(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        perror("lines: connect");
        exit(1);
    }
    return fd;
}

static void send_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t sent = write(fd, p, n);
        if (sent < 0) {
            if (errno == EINTR) continue;
            perror("lines: write");
            exit(1);
        }
        p += sent;
        n -= (size_t)sent;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: lines PORT ID COUNT\n");
        return 2;
    }
    unsigned long long count = strtoull(argv[3], NULL, 10);
    int fd = call(atoi(argv[1]));
    blank_lines(argv[2][0]);

    puts("ready");
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0) {
    }

    for (unsigned long long next = 0; next < count;) {
        size_t n = 0;
        for (; n < LINES_A_WRITE && next < count; n++, next++)
            put_number(block + n * LINE, next);
        send_all(fd, block, n * LINE);
    }
    close(fd);
    return 0;
}
