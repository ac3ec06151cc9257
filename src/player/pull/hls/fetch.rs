//! Reading playlists, keys and segments, whole and bounded; decrypting (RFC 8216 §5.2).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};

use super::super::problem::Problem;
use crate::net;
use crate::net::web::{Client, Span, WebUrl};
use crate::player::{Failure, Kind};
use crate::wire::hls::{Key, MAX_TEXT, Map, Method, Segment};

/// The longest segment: a minute of 4 Mbit/s, ten seconds of 25.
const MAX_SEGMENT: usize = 32 << 20;
/// The longest beginning of an MP4.
const MAX_MAP: usize = 1 << 20;
/// Something is read as a whole by then.
const LIMIT: Duration = Duration::from_secs(60);
/// Keys and beginnings that are remembered.
const REMEMBERED: usize = 8;
/// A question that may have a better answer later is asked again after these pauses.
const AGAIN: [u64; 3] = [300, 1_000, 2_000];

/// What stands before segments, and where it came from.
type Beginning = (WebUrl, Option<(u64, u64)>, Bytes);

/// Who reads.
#[derive(Debug)]
pub(super) struct Fetch {
    client: Client,
    keys: Vec<(WebUrl, [u8; 16])>,
    maps: Vec<Beginning>,
}

fn told(kind: Kind, what: impl Into<String>, advice: &str) -> Problem {
    Problem::Told(Failure::new(kind, what, advice))
}

/// Where a line of a playlist leads.
pub(super) fn join(base: &WebUrl, uri: &str) -> Result<WebUrl, Problem> {
    let bad = |why: String| {
        told(
            Kind::Unreachable,
            format!("the playlist leads to where nothing can be read: {why}"),
            "Check the URL, and tell the broadcaster.",
        )
    };
    let url = base.join(uri).map_err(|error| bad(error.to_string()))?;
    if base.is_secure() && !url.is_secure() {
        return Err(bad("it leaves TLS".into()));
    }
    if url.is_websocket() {
        return Err(bad("a WebSocket holds no file".into()));
    }
    Ok(url)
}

impl Fetch {
    pub fn new(options: net::Options) -> Self {
        Self { client: Client::new(options), keys: Vec::new(), maps: Vec::new() }
    }

    /// Reads something small or large; asks again where that may help.
    async fn read(
        &mut self,
        url: &WebUrl,
        range: Option<(u64, u64)>,
        most: usize,
    ) -> Result<(Bytes, WebUrl), Problem> {
        let mut pauses = AGAIN.iter();
        loop {
            match self.try_read(url, range, most).await {
                Ok(read) => return Ok(read),
                Err(error) => {
                    let gone = matches!(&error.cause, net::Cause::Answer { .. });
                    let Some(pause) = pauses.next().filter(|_| error.may_pass() && !gone) else {
                        return Err(error.into());
                    };
                    tracing::debug!(%error, "asking again");
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
            }
        }
    }

    async fn try_read(
        &mut self,
        url: &WebUrl,
        range: Option<(u64, u64)>,
        most: usize,
    ) -> Result<(Bytes, WebUrl), net::Error> {
        let span = range.map(|(from, until)| Span { from, until });
        let answer = self.client.get(url, span, &|_| {}).await?;
        let (partial, from) = (answer.is_partial(), answer.url().clone());
        let whole = self.client.read(answer, most, LIMIT).await?;
        Ok(match range {
            // The server knows of no ranges and sent everything.
            Some((from_byte, until)) if !partial => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
                (whole.slice(place(from_byte)..place(until).max(place(from_byte))), from)
            }
            _ => (whole, from),
        })
    }

    /// A playlist, and where it came from in the end.
    pub async fn playlist(&mut self, url: &WebUrl) -> Result<(Bytes, WebUrl), Problem> {
        self.read(url, None, MAX_TEXT).await
    }

    /// A segment, decrypted; how many bytes of it came.
    pub async fn segment(
        &mut self,
        base: &WebUrl,
        segment: &Segment,
        number: u64,
    ) -> Result<Bytes, Problem> {
        let url = join(base, &segment.uri)?;
        let data = self.read(&url, segment.range, MAX_SEGMENT).await?.0;
        match &segment.key {
            None => Ok(data),
            Some(key) => {
                let iv = key.iv.unwrap_or(number.into());
                let secret = self.key(base, key).await?;
                decrypt(&data, &secret, iv)
            }
        }
    }

    /// What stands before a segment.
    pub async fn map(&mut self, base: &WebUrl, map: &Map) -> Result<Bytes, Problem> {
        let url = join(base, &map.uri)?;
        let known = self.maps.iter().find(|(its, range, _)| (its, range) == (&url, &map.range));
        if let Some((_, _, data)) = known {
            return Ok(data.clone());
        }
        let mut data = self.read(&url, map.range, MAX_MAP).await?.0;
        if let Some(key) = &map.key {
            let secret = self.key(base, key).await?;
            data = decrypt(&data, &secret, key.iv.unwrap_or(0))?;
        }
        if self.maps.len() >= REMEMBERED {
            self.maps.remove(0);
        }
        self.maps.push((url, map.range, data.clone()));
        Ok(data)
    }

    async fn key(&mut self, base: &WebUrl, key: &Key) -> Result<[u8; 16], Problem> {
        if key.method != Method::Aes128 {
            return Err(told(
                Kind::Codec,
                "the stream is protected, and only its own service's player has the keys",
                "Watch it on the service's page.",
            ));
        }
        let url = join(base, &key.uri)?;
        if let Some((_, secret)) = self.keys.iter().find(|(its, _)| *its == url) {
            return Ok(*secret);
        }
        let data = self.read(&url, None, 1_024).await?.0;
        let secret: [u8; 16] = data.as_ref().try_into().map_err(|_| {
            let what = format!("the stream's key has {} bytes instead of 16", data.len());
            told(Kind::Refused, what, "The server may want a login: give the URL with its token.")
        })?;
        if self.keys.len() >= REMEMBERED {
            self.keys.remove(0);
        }
        self.keys.push((url, secret));
        Ok(secret)
    }
}

/// AES-128 in CBC mode, padded as PKCS #7 says.
fn decrypt(data: &[u8], key: &[u8; 16], iv: u128) -> Result<Bytes, Problem> {
    let damaged = || {
        let advice = "Try again; if it stays so, the broadcaster must be told.";
        told(Kind::Unreachable, "an encrypted segment is damaged, or the key is wrong", advice)
    };
    if data.is_empty() || !data.len().is_multiple_of(16) {
        return Err(damaged());
    }
    let iv = iv.to_be_bytes();
    let mut cipher = cbc::Decryptor::<aes::Aes128>::new(&(*key).into(), &iv.into());
    let mut out = BytesMut::with_capacity(data.len());
    for chunk in data.chunks_exact(16) {
        let mut block = aes::Block::try_from(chunk).map_err(|_| damaged())?;
        cipher.decrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    let padding = usize::from(out.last().copied().unwrap_or(0));
    let length = out.len().checked_sub(padding).ok_or_else(damaged)?;
    let right = (1..=16).contains(&padding)
        && out
            .get(length..)
            .is_some_and(|end| end.iter().all(|byte| usize::from(*byte) == padding));
    if !right {
        return Err(damaged());
    }
    out.truncate(length);
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decrypted_and_wrong_keys_found_out() {
        // openssl enc -aes-128-cbc -K 000102…0f -iv 00…01, of "hello segment".
        let key: [u8; 16] = std::array::from_fn(|at| at as u8);
        let plain = b"hello segment";
        let sealed = seal(plain, &key, 1);
        assert_eq!(&decrypt(&sealed, &key, 1).unwrap()[..], plain);
        assert!(decrypt(&sealed, &[9; 16], 1).is_err());
        assert!(decrypt(&sealed[1..], &key, 1).is_err() && decrypt(&[], &key, 1).is_err());
    }

    fn seal(plain: &[u8], key: &[u8; 16], iv: u128) -> Vec<u8> {
        use cbc::cipher::BlockModeEncrypt;
        let mut cipher =
            cbc::Encryptor::<aes::Aes128>::new(&(*key).into(), &iv.to_be_bytes().into());
        let padding = 16 - plain.len() % 16;
        let mut padded = plain.to_vec();
        padded.resize(plain.len() + padding, padding as u8);
        let mut out = Vec::new();
        for chunk in padded.chunks_exact(16) {
            let mut block = aes::Block::try_from(chunk).unwrap();
            cipher.encrypt_block(&mut block);
            out.extend_from_slice(&block);
        }
        out
    }
}
