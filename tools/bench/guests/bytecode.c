/* An interpreter's loop: a switch over a small instruction set. */
#include "runtime.h"
enum { PUSH, ADD, MULTIPLY, XOR, SWAP, DECREMENT, JUMP_NOT_ZERO, HALT };
static const u8 program[] = {PUSH, 3, PUSH, 250, SWAP, PUSH, 17, MULTIPLY, PUSH, 5, ADD, PUSH, 91, XOR, SWAP, DECREMENT, JUMP_NOT_ZERO, 4, HALT};
static u64 run(const volatile u8 *code, u64 seed) {
  u64 stack[16], depth = 0, at = 0;
  stack[depth++] = seed;
  for (;;) {
    switch (code[at++]) {
      case PUSH: stack[depth++] = code[at++]; break;
      case ADD: depth--; stack[depth - 1] += stack[depth]; break;
      case MULTIPLY: depth--; stack[depth - 1] *= stack[depth]; break;
      case XOR: depth--; stack[depth - 1] ^= stack[depth]; break;
      case SWAP: { u64 t = stack[depth - 1]; stack[depth - 1] = stack[depth - 2]; stack[depth - 2] = t; break; }
      case DECREMENT: stack[depth - 1]--; break;
      case JUMP_NOT_ZERO: at = stack[depth - 1] != 0 ? code[at] : at + 1; break;
      default: return stack[depth - 2];
    }
  }
}
u64 work(void) {
  u64 sum = 0;
  for (u64 i = 0; i < 15000; i++) sum += run(program, i);
  return sum;
}
