// The console on an ns16550a serial port: output waits for the port, input comes by interrupt into a ring.
// PC16550D Data Sheet, 8.0 (Registers).

#include "embedded.h"

#define UART ((volatile uint8_t *)0x10000000ul)

enum { DATA = 0, INTERRUPT_ENABLE = 1, LINE_CONTROL = 3, LINE_STATUS = 5 };
enum { RECEIVED = 1 << 0, TRANSMITTER_EMPTY = 1 << 5 };
enum { UART_SOURCE = 10 };
enum { RING_SIZE = 256 };

// Written by the interrupt handler and read by the shell, on the same hart, so no lock is needed.
static volatile struct {
  unsigned head, tail;
  char characters[RING_SIZE];
} ring;

static void console_interrupt(void *device) {
  (void)device;
  while (UART[LINE_STATUS] & RECEIVED) {
    if (ring.tail - ring.head == RING_SIZE) {
      UART[INTERRUPT_ENABLE] = 0; // no room: let the port hold the rest back until the shell has read some
      return;
    }
    ring.characters[ring.tail % RING_SIZE] = UART[DATA];
    ring.tail++;
  }
}

void console_open(void) {
  UART[LINE_CONTROL] = 3; // 8 bits, no parity, 1 stop bit
  // The FIFOs stay as they are: turning them on would clear them, and with them whatever was typed before we came.
  plic_attach(UART_SOURCE, 0, console_interrupt, NULL);
  UART[INTERRUPT_ENABLE] = RECEIVED;
}

static void put(char character) {
  if (character == '\n') put('\r');
  while (!(UART[LINE_STATUS] & TRANSMITTER_EMPTY)) continue;
  UART[DATA] = character;
}

static void put_text(const char *text) {
  while (*text) put(*text++);
}

static void put_number(uint64_t number, unsigned base, unsigned digits) {
  char text[24];
  char *at = text + sizeof text;
  *--at = 0;
  for (unsigned done = 0; number || done < digits; done++, number /= base) *--at = "0123456789abcdef"[number % base];
  put_text(at);
}

void console_print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  for (; *format; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    unsigned digits = 0;
    for (format++; *format >= '0' && *format <= '9'; format++) digits = digits * 10 + (*format - '0');
    if (*format == 's') put_text(va_arg(arguments, const char *));
    if (*format == 'u') put_number(va_arg(arguments, uint64_t), 10, 1);
    if (*format == 'x') put_number(va_arg(arguments, uint64_t), 16, digits);
  }
  va_end(arguments);
}

static char console_read(void) {
  SLEEP_UNTIL(ring.head != ring.tail);
  char character = ring.characters[ring.head % RING_SIZE];
  ring.head++;
  UART[INTERRUPT_ENABLE] = RECEIVED; // there is room again
  return character;
}

void console_read_line(char *line, size_t size) {
  size_t length = 0;
  for (;;) {
    char character = console_read();
    if (character == '\r' || character == '\n') break;
    if (character == '\b' || character == 0x7f) {
      if (length > 0) {
        length--;
        put_text("\b \b");
      }
    } else if (character >= ' ' && length < size - 1) {
      line[length++] = character;
      put(character);
    }
  }
  line[length] = 0;
  put('\n');
}
