// A ring of links. Whoever changes one writes to its neighbours.

#include "race.h"

void list_begin(struct link *head) { head->next = head->previous = head; }

void list_append(struct link *head, struct link *link) {
  struct link *last = head->previous;
  link->next = head;
  link->previous = last;
  last->next = link;
  head->previous = link;
}

void list_remove(struct link *link) {
  struct link *next = link->next;
  struct link *previous = link->previous;
  previous->next = next;
  next->previous = previous;
}
