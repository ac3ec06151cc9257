//! HTTP/1.1 messages on a connection, for both sides: complete headers, and bodies in pieces.
//! Callers set the time limits. Only one header and the data of one read are buffered.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::net::error::Cause;
use crate::net::stream::Stream;
use crate::wire::http::{self, Body};

/// Maximum size of one read from the socket, in bytes.
const MAX_READ_BYTES: usize = 16 << 10;

/// A connection that speaks HTTP.
#[derive(Debug)]
pub(in crate::net) struct Http {
    stream: Stream,
    /// Received bytes that have not been used yet.
    buffer: BytesMut,
}

/// The reason why a connection is unusable.
#[derive(Debug, thiserror::Error)]
pub(in crate::net) enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("closed by the peer")]
    Closed,
    #[error("{0}")]
    Http(#[from] http::Error),
}

impl Fault {
    pub fn cause(&self) -> Cause {
        match self {
            Self::Io(error) => Cause::from_io(error),
            Self::Closed => Cause::Closed,
            Self::Http(error) => Cause::Protocol(error.to_string().into()),
        }
    }
}

impl Http {
    pub fn new(stream: Stream) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// Returns the connection after the last message, including data already received.
    pub fn into_stream(self) -> Stream {
        self.stream.with_ahead(self.buffer.freeze())
    }

    /// Returns true if no unused data was received.
    pub fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads the next header. Returns `None` if the peer closes the connection instead. This
    /// function is cancel-safe.
    pub async fn head(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(length) = http::head_length(&self.buffer)? {
                return Ok(Some(self.buffer.split_to(length).freeze()));
            }
            if !self.fill().await? {
                return if self.is_clean() { Ok(None) } else { Err(Fault::Closed) };
            }
        }
    }

    /// Reads the next piece of a body. Returns `None` at the end of the body. This function is
    /// cancel-safe.
    pub async fn piece(&mut self, body: &mut Body) -> Result<Option<Bytes>, Fault> {
        loop {
            let mut input = &self.buffer[..];
            let piece = Bytes::copy_from_slice(body.next(&mut input)?);
            let used = self.buffer.len() - input.len();
            self.buffer.advance(used);
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if body.is_done() {
                return Ok(None);
            }
            if !self.fill().await? {
                let ends_so = *body == Body::UntilClose;
                return if ends_so { Ok(None) } else { Err(Fault::Closed) };
            }
        }
    }

    /// Reads more data. Returns `false` at the end of the connection.
    async fn fill(&mut self) -> Result<bool, Fault> {
        self.buffer.reserve(MAX_READ_BYTES);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}
