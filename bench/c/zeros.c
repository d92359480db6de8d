// zeros COUNT PIPE HOW: writes COUNT zero bytes to standard output. HOW is
// copy: plain writes of 128 KiB, as cat and cp do; or splice: the same pages
// are lent to the pipe again and again (vmsplice), which costs next to nothing.
// Its output is a pipe, which is made to hold PIPE bytes; 0 leaves it as it is.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char block[128 * 1024] __attribute__((aligned(4096)));

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: zeros COUNT PIPE HOW\n");
        return 2;
    }
    unsigned long long left = strtoull(argv[1], NULL, 10);
    int lend = strcmp(argv[3], "splice") == 0;
    int size = atoi(argv[2]);
    if (size > 0 && fcntl(1, F_SETPIPE_SZ, size) < 0) {
        perror("zeros: F_SETPIPE_SZ");
        return 1;
    }
    while (left > 0) {
        size_t want = left < sizeof block ? (size_t)left : sizeof block;
        struct iovec pages = {block, want};
        ssize_t n = lend ? vmsplice(1, &pages, 1, 0) : write(1, block, want);
        if (n < 0) {
            if (errno == EINTR) continue;
            perror("zeros: write");
            return 1;
        }
        left -= (unsigned long long)n;
    }
    return 0;
}
