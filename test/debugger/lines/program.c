// What is stepped through in tests: calls, recursion, loops, and a timer that interrupts all of it now and then.
#define CLINT_MTIMECMP (*(volatile unsigned long *)0x2004000)
#define CLINT_MTIME (*(volatile unsigned long *)0x200bff8)
#define UART (*(volatile char *)0x10000000)
#define STRING_OF(text) #text
#define STRING(name) STRING_OF(name)
#define FINISHER (*(volatile unsigned *)0x100000)

volatile unsigned long ticks;
int total;
int table[8];
struct point { int x, y; } corner = {3, 4};

__attribute__((interrupt("machine"), aligned(4))) void on_timer(void) {
  ticks = ticks + 1;
  CLINT_MTIMECMP = CLINT_MTIME + PERIOD;
}

static void print(const char *text) {
  while (*text != 0)
    UART = *text++;
}

int square(int n) {
  int result = n * n;
  return result;
}

int factorial(int n) {
  if (n < 2)
    return 1;
  int below = factorial(n - 1);
  return n * below;
}

int sum(int count) {
  int result = 0;
  for (int i = 0; i < count; i++) {
    result += square(i);
    table[i & 7] = result;
  }
  return result;
}

void busy(long count) {
  for (volatile long i = 0; i < count; i++) total++;
}

int main(void) {
  print("begin\n");
  total = square(5);
  total += sum(4);
  corner.x = factorial(5);
  corner.y = square(square(2));
  busy(BUSY);
  print("end\n");
  FINISHER = 0x5555;
  for (;;) {
  }
}

__asm__(".section .text.entry, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "  bnez a0, 1f\n"
        "  la sp, stack_end\n"
        "  la t0, on_timer\n"
        "  csrw mtvec, t0\n"
        "  li t0, 0x2004000\n"
        "  li t1, " STRING(PERIOD) "\n"
        "  sd t1, 0(t0)\n"
        "  li t0, 0x80\n"
        "  csrw mie, t0\n"
        "  csrsi mstatus, 8\n"
        "  call main\n"
        "1: wfi\n"
        "  j 1b\n"
        ".bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text\n");
