/* An integer loop for Linux without a C library: additions, shifts, multiplications and branches, no memory to speak of. */
static long call(long number, long a, long b, long c) {
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

void _start(void) {
  unsigned long x = 88172645463325252UL, sum = 0;
  char digits[] = "................\n";
  for (unsigned long i = 0; i < 60000000UL; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    if (x & 8) sum += x * (i | 1);
    else sum ^= x + (i << 3);
  }
  for (int i = 0; i < 16; i++) digits[i] = "0123456789abcdef"[(sum >> (60 - 4 * i)) & 15];
  call(64, 1, (long)digits, sizeof digits - 1);
  call(93, 0, 0, 0);
}
