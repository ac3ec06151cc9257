//! FLV in the body of an HTTP response, with or without chunked transfer coding (RFC 9112, section 7.1).

use crate::stream::STAMP_AT;

/// What comes next: all of it is `left` bytes long.
enum Part {
    /// The header of the file, and the size of no tag.
    File,
    TagHeader,
    Body,
    /// The size of the tag.
    TagSize,
}

pub struct Flv {
    /// Bytes that are left of the HTTP chunk; without chunks, all that come.
    chunk: usize,
    chunked: bool,
    /// The line with a chunk's size, so far.
    line: Vec<u8>,
    part: Part,
    left: usize,
    kind: u8,
    /// The first bytes of the part.
    head: Vec<u8>,
}

impl Flv {
    pub fn new(chunked: bool) -> Self {
        Self {
            chunk: if chunked { 0 } else { usize::MAX },
            chunked,
            line: Vec::new(),
            part: Part::File,
            left: 13,
            kind: 0,
            head: Vec::new(),
        }
    }

    /// Takes bytes of the response's body; calls `tag` with the type and the first bytes of each tag.
    pub fn take(&mut self, mut bytes: &[u8], mut tag: impl FnMut(u8, &[u8])) {
        while !bytes.is_empty() {
            if self.chunk == 0 {
                let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                    self.line.extend_from_slice(bytes);
                    return;
                };
                self.line.extend_from_slice(&bytes[..end]);
                bytes = &bytes[end + 1..];
                let line = String::from_utf8_lossy(&self.line).trim().to_owned();
                // The line after a chunk is empty.
                self.chunk = usize::from_str_radix(&line, 16).unwrap_or(0);
                self.line.clear();
                continue;
            }
            let count = self.chunk.min(bytes.len());
            if self.chunked {
                self.chunk -= count;
            }
            self.tags(&bytes[..count], &mut tag);
            bytes = &bytes[count..];
        }
    }

    fn tags(&mut self, mut bytes: &[u8], tag: &mut impl FnMut(u8, &[u8])) {
        loop {
            let count = self.left.min(bytes.len());
            let room = (STAMP_AT + 8).saturating_sub(self.head.len());
            self.head.extend_from_slice(&bytes[..count.min(room)]);
            bytes = &bytes[count..];
            self.left -= count;
            if self.left > 0 {
                return;
            }
            (self.part, self.left) = match self.part {
                Part::File | Part::TagSize => (Part::TagHeader, 11),
                Part::TagHeader => {
                    self.kind = self.head[0] & 0x1f;
                    let size = u32::from_be_bytes([0, self.head[1], self.head[2], self.head[3]]);
                    (Part::Body, size as usize)
                }
                Part::Body => {
                    tag(self.kind, &self.head);
                    (Part::TagSize, 4)
                }
            };
            self.head.clear();
        }
    }
}
