/* SPDX-License-Identifier: MIT */
#include "strict_chunks.h"

#include <string.h>

#include "token.h"

static int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  letter |= 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

void strict_chunks_begin(struct chunks *chunks) {
  memset(chunks, 0, sizeof(*chunks));
  chunks->at = CHUNK_HEAD_END;
}

static bool size_letter(struct chunks *chunks, char letter) {
  int value = digit(letter);

  if (value >= 0) {
    chunks->left = chunks->left * 16 + (uint64_t)value;
    return ++chunks->digits <= 15;
  }
  chunks->at = letter == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
  return chunks->digits > 0 && (letter == ';' || letter == '\r');
}

/* After the last chunk: lines with a name, a colon and a value, and an empty one. */
static bool trailer_letter(struct chunks *chunks, char letter) {
  switch (chunks->at) {
  case CHUNK_TRAILER:
    chunks->at = letter == '\r' ? CHUNK_LAST_LF : CHUNK_TRAILER_NAME;
    return letter == '\r' || is_token_letter(letter);
  case CHUNK_TRAILER_NAME:
    if (letter == ':') chunks->at = CHUNK_TRAILER_VALUE;
    return letter == ':' || is_token_letter(letter);
  case CHUNK_TRAILER_VALUE:
    if (letter == '\r') chunks->at = CHUNK_TRAILER_LF;
    return letter == '\r' || letter == '\t' || ((unsigned char)letter >= 0x20 && letter != 0x7f);
  case CHUNK_TRAILER_LF:
    chunks->at = CHUNK_TRAILER;
    return letter == '\n';
  default:
    chunks->at = CHUNK_OVER;
    return letter == '\n';
  }
}

bool strict_chunks_feed(struct chunks *chunks, const char *bytes, size_t length) {
  size_t at;

  for (at = 0; at < length && chunks->at != CHUNK_OVER; at++) {
    char letter = bytes[at];

    switch (chunks->at) {
    case CHUNK_HEAD_END:
      if (letter != '\n') return false;
      chunks->at = CHUNK_SIZE;
      break;
    case CHUNK_SIZE:
      if (!size_letter(chunks, letter)) return false;
      break;
    case CHUNK_EXTENSION:
      if (letter == '\n') return false;
      if (letter == '\r') chunks->at = CHUNK_SIZE_LF;
      break;
    case CHUNK_SIZE_LF:
      if (letter != '\n') return false;
      chunks->at = chunks->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
      break;
    case CHUNK_DATA: {
      size_t piece = chunks->left < length - at ? (size_t)chunks->left : length - at;

      chunks->left -= piece;
      at += piece - 1;
      if (chunks->left == 0) chunks->at = CHUNK_CR;
      break;
    }
    case CHUNK_CR:
      if (letter != '\r') return false;
      chunks->at = CHUNK_LF;
      break;
    case CHUNK_LF:
      if (letter != '\n') return false;
      chunks->at = CHUNK_SIZE;
      chunks->digits = 0;
      break;
    default:
      if (!trailer_letter(chunks, letter)) return false;
    }
  }
  return true;
}
