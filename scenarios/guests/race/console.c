// Output on an ns16550a serial port. PC16550D Data Sheet, 8.0 (Registers).

#include <stdarg.h>

#include "race.h"

#define UART ((volatile uint8_t *)0x10000000ul)

enum { DATA = 0, LINE_STATUS = 5, TRANSMITTER_EMPTY = 1 << 5 };

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
    format++;
    if (*format == 's') put_text(va_arg(arguments, const char *));
    if (*format == 'u') put_number(va_arg(arguments, uint64_t), 10, 1);
    if (*format == 'x') put_number(va_arg(arguments, uint64_t), 16, 16);
  }
  va_end(arguments);
}
