/* H.264 as the stand-ins for drivers write it: keyframes are uncompressed (I_PCM), and the frames after them repeat the
 * keyframe. `bits` needs room for a frame. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A writer of bits, which then become a NAL unit. */
static uint8_t *bits; static size_t bit_count;

static void put(unsigned count, unsigned value) {
    while (count--) {
        uint8_t mask = 0x80 >> (bit_count & 7);
        if (value >> count & 1) bits[bit_count / 8] |= mask; else bits[bit_count / 8] &= ~mask;
        bit_count++;
    }
}

static void ue(unsigned value) {
    unsigned length = 0;
    for (unsigned rest = value + 1; rest > 1; rest >>= 1) length++;
    put(length, 0);
    put(length + 1, value + 1);
}

static size_t nal(uint8_t *out, uint8_t header) {
    put(1, 1);
    while (bit_count & 7) put(1, 0);
    size_t length = 0, zeros = 0;
    static const uint8_t start[] = {0, 0, 0, 1};
    memcpy(out, start, 4); length = 4;
    out[length++] = header;
    for (size_t at = 0; at < bit_count / 8; at++) {
        if (zeros >= 2 && bits[at] <= 3) { out[length++] = 3; zeros = 0; }
        zeros = bits[at] ? 0 : zeros + 1;
        out[length++] = bits[at];
    }
    bit_count = 0;
    return length;
}

static unsigned width, height, frame_number;

/* An image: the planes, the bytes of a row of each, and the distance of two values of a color. */
struct image { const uint8_t *luma, *blue, *red; size_t pitch, color_pitch, step; };

static size_t sets(uint8_t *out) {
    unsigned across = (width + 15) / 16, down = (height + 15) / 16;
    put(8, 66); put(8, 0xC0); put(8, 31);
    ue(0); ue(0); ue(2); ue(1); put(1, 0);
    ue(across - 1); ue(down - 1);
    put(2, 3);
    unsigned right = across * 16 - width, bottom = down * 16 - height;
    put(1, right || bottom);
    if (right || bottom) { ue(0); ue(right / 2); ue(0); ue(bottom / 2); }
    put(1, 0);
    size_t length = nal(out, 0x67);
    ue(0); ue(0); put(2, 0); ue(0); ue(0); ue(0); put(3, 0); ue(0); ue(0); ue(0); put(3, 4);
    return length + nal(out + length, 0x68);
}

static size_t keyframe(uint8_t *out, struct image image) {
    static unsigned id;
    unsigned across = (width + 15) / 16, down = (height + 15) / 16;
    const uint8_t *colors[] = {image.blue, image.red};
    frame_number = 0;
    ue(0); ue(7); ue(0); put(4, 0); ue(id++ & 1); put(2, 0); ue(0); ue(1);
    for (unsigned block = 0; block < across * down; block++) {
        unsigned left = block % across * 16, top = block / across * 16;
        ue(25);
        while (bit_count & 7) put(1, 0);
        for (unsigned row = 0; row < 16; row++)
            for (unsigned column = 0; column < 16; column++) {
                unsigned x = left + column, y = top + row;
                put(8, x < width && y < height ? image.luma[y * image.pitch + x] : 16);
            }
        for (unsigned plane = 0; plane < 2; plane++)
            for (unsigned row = 0; row < 8; row++)
                for (unsigned column = 0; column < 8; column++) {
                    unsigned x = left / 2 + column, y = top / 2 + row;
                    int inside = x < width / 2 && y < height / 2;
                    put(8, inside ? colors[plane][y * image.color_pitch + x * image.step] : 128);
                }
    }
    return nal(out, 0x65);
}

static size_t repeated(uint8_t *out) {
    frame_number = (frame_number + 1) & 15;
    ue(0); ue(5); ue(0); put(4, frame_number); put(3, 0); ue(0); ue(1);
    ue((width + 15) / 16 * ((height + 15) / 16));
    return nal(out, 0x41);
}
