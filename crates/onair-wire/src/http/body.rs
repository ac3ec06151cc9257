//! Finds the end of a body (RFC 9112 §6 and §7), by its length, its chunks, or the end of the
//! connection.

use super::{Error, Fields};

/// Maximum length in bytes of a line with a chunk size, and of a trailer.
const MAX_LINE_BYTES: usize = 1_024;

/// A body in progress. Call [`Body::next`] until [`Body::is_done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// This many bytes are left.
    Length(u64),
    /// The body has chunks, each after its size.
    Chunked(Chunked),
    /// The body ends with the connection.
    UntilClose,
}

/// Progress of a chunked body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunked {
    state: State,
    line: Vec<u8>,
    /// Total length of the trailers so far, in bytes.
    trailer: usize,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum State {
    /// The reader is in the line with the size.
    #[default]
    Size,
    Data(u64),
    /// The reader is in the line break after the data.
    Gap,
    Trailer,
    Done,
}

impl Body {
    /// Creates the body of a request. A request without a length has no body.
    ///
    /// # Errors
    /// Fails with [`Error::Length`] if the fields are contradictory.
    pub fn of_request(fields: &Fields) -> Result<Self, Error> {
        Ok(Self::of(fields)?.unwrap_or(Self::Length(0)))
    }

    /// Creates the body of a response to a request other than HEAD.
    ///
    /// # Errors
    /// Fails with [`Error::Length`] if the fields are contradictory.
    pub fn of_response(status: u16, fields: &Fields) -> Result<Self, Error> {
        match status {
            100..=199 | 204 | 304 => Ok(Self::Length(0)),
            _ => Ok(Self::of(fields)?.unwrap_or(Self::UntilClose)),
        }
    }

    fn of(fields: &Fields) -> Result<Option<Self>, Error> {
        let mut lengths = fields.all("content-length");
        let length = match lengths.next() {
            Some(text) => {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                let length = text.parse::<u64>().ok().filter(|_| digits).ok_or(Error::Length)?;
                if lengths.any(|other| other != text) {
                    return Err(Error::Length);
                }
                Some(length)
            }
            None => None,
        };
        let mut codings = fields.all("transfer-encoding");
        match (codings.next(), length) {
            (None, length) => Ok(length.map(Self::Length)),
            // Two lengths may be a request smuggling attack.
            (Some(_), Some(_)) => Err(Error::Length),
            (Some(coding), None) => {
                let chunked = coding.eq_ignore_ascii_case("chunked") && codings.next().is_none();
                chunked.then(|| Some(Self::Chunked(Chunked::default()))).ok_or(Error::Length)
            }
        }
    }

    /// Returns true if the body is complete. A body that ends with the connection is never
    /// complete.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.state == State::Done,
            Self::UntilClose => false,
        }
    }

    /// Returns the next piece of the body in `input`, and advances `input` past it. The piece is
    /// empty if `input` is used up or the body is done.
    ///
    /// # Errors
    /// Fails with [`Error::Chunk`].
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], Error> {
        match self {
            Self::Length(left) => Ok(take(input, left)),
            Self::Chunked(chunked) => chunked.next(input),
            Self::UntilClose => Ok(std::mem::take(input)),
        }
    }
}

/// Takes at most `left` bytes of `input`.
fn take<'a>(input: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at(count);
    *left -= count as u64;
    *input = rest;
    piece
}

impl Chunked {
    fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], Error> {
        loop {
            if let State::Data(left) = &mut self.state {
                let piece = take(input, left);
                if *left == 0 {
                    self.state = State::Gap;
                }
                if !piece.is_empty() {
                    return Ok(piece);
                }
            }
            if self.state == State::Done {
                return Ok(&[]);
            }
            let Some((byte, rest)) = input.split_first() else { return Ok(&[]) };
            *input = rest;
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() > MAX_LINE_BYTES {
                    return Err(Error::Chunk);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            self.state = match self.state {
                State::Size => match size(line)? {
                    0 => State::Trailer,
                    size => State::Data(size),
                },
                State::Gap if line.is_empty() => State::Size,
                State::Trailer if line.is_empty() => State::Done,
                State::Trailer => {
                    self.trailer += line.len();
                    if self.trailer > MAX_LINE_BYTES {
                        return Err(Error::Chunk);
                    }
                    State::Trailer
                }
                State::Gap | State::Data(_) | State::Done => return Err(Error::Chunk),
            };
        }
    }
}

/// Parses the size in the first line of a chunk, which may have an extension after a `;`.
fn size(line: &[u8]) -> Result<u64, Error> {
    let text = std::str::from_utf8(line).map_err(|_| Error::Chunk)?;
    let digits = text.split(';').next().unwrap_or("").trim();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(Error::Chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::Response;

    fn body(fields: &str) -> Result<Body, Error> {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        Body::of_response(200, &Response::parse(head.as_bytes()).unwrap().fields)
    }

    /// Reads a body in pieces of `step` bytes. Also returns the remaining bytes.
    fn read(mut body: Body, text: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), Error> {
        let (mut out, mut left) = (Vec::new(), 0);
        for piece in text.chunks(step) {
            let mut input = piece;
            while !input.is_empty() && !body.is_done() {
                out.extend_from_slice(body.next(&mut input)?);
            }
            left += input.len();
        }
        Ok((out, left, body.is_done()))
    }

    #[test]
    fn bodies_end_where_they_should_in_pieces_of_any_size() {
        let chunks = b"5;x=y\r\nhello\r\n1\r\n \r\n0\r\nTrailer: t\r\n\r\nNEXT";
        for step in 1..=chunks.len() {
            let chunked = body("Transfer-Encoding: Chunked\r\n").unwrap();
            assert_eq!(read(chunked, chunks, step), Ok((b"hello ".to_vec(), 4, true)), "{step}");
            let length = body("Content-Length: 5\r\nContent-Length: 5\r\n").unwrap();
            assert_eq!(read(length, b"helloNEXT", step), Ok((b"hello".to_vec(), 4, true)));
            assert_eq!(read(body("").unwrap(), b"all", step), Ok((b"all".to_vec(), 0, false)));
        }
        let none = Body::of_response(204, &Fields::default()).unwrap();
        assert!(none.is_done() && Body::of_request(&Fields::default()).unwrap().is_done());
    }

    #[test]
    fn lengths_that_lie_are_turned_down() {
        for bad in [
            "Content-Length: -1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert_eq!(body(bad), Err(Error::Length), "{bad:?}");
        }
        let long = [b"1;".as_slice(), &[b'x'; 2 * MAX_LINE_BYTES]].concat();
        let trailers = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(400)].concat();
        let bad: [&[u8]; 6] = [b"x\r\n", b"-1\r\n", b"\r\n", b"1\r\nab\r\n", &long, &trailers];
        for bad in bad {
            let chunked = body("Transfer-Encoding: chunked\r\n").unwrap();
            assert_eq!(read(chunked, bad, 7), Err(Error::Chunk), "{bad:?}");
        }
        // A huge claimed size allocates nothing.
        let huge = body("Transfer-Encoding: chunked\r\n").unwrap();
        assert_eq!(read(huge, b"ffffffffffffffff\r\nab", 64), Ok((b"ab".to_vec(), 0, false)));
    }
}
