# Runs main on a stack of its own with floating point on, then waits for ever.
.section .text.start, "ax"
.globl _start
_start:
  li t0, 0x2000
  csrs mstatus, t0
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, stack_end
  li s0, 0
  call main
  call count_letters
  j finished

.globl count_letters
count_letters:
  la t0, letters
  li a0, 0
next_letter:
  lbu t1, 0(t0)
  beqz t1, counted
  addi a0, a0, 1
  addi t0, t0, 1
  j next_letter
counted:
  ret

.globl finished
finished:
  wfi
  j finished

.section .rodata
letters: .asciz "a few letters"
