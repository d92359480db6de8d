package sys

// sysGetsockopt is missing from package syscall: i386 has had a call of its own
// for getsockopt(2) only since Linux 4.3 (arch/x86/entry/syscalls/syscall_32.tbl).
const sysGetsockopt = 365
