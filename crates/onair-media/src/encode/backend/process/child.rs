//! The encoder process itself: loads the library, encodes frame by frame, and ends when onair closes
//! the socket.
#![allow(unsafe_code)]

use std::io;
use std::time::Duration;

use crate::base::child_process::{self, HelperStream, InheritedMemory};
use crate::base::sandbox;
use crate::encode::backend::process::connection::{receive, send};
use crate::encode::backend::process::library::{self, Encoder};
use crate::encode::backend::process::system::{LastWords, restrict};
use crate::encode::backend::process::wire::{Refusal, Reply, Request};

/// Maximum length of the library's last words in a reason.
const MAX_LAST_WORDS: usize = 200;
/// Time limit for sending. onair reads at once, unless it hangs.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the encoder process. Returns the exit code.
pub fn run() -> i32 {
    let Some((socket, memory)) = child_process::inherited() else { return 2 };
    match serve(&socket, &memory) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

fn serve(socket: &HelperStream, memory: &InheritedMemory) -> io::Result<()> {
    let answer = |reply: &Reply| send(socket, &reply.to_bytes(), SEND_TIMEOUT);
    let Request::Open(task) = next(socket)? else { return Err(io::ErrorKind::InvalidData.into()) };
    let mut words = LastWords::listen();
    let length = task.size.pixels() / 2 * 3;
    let frame = memory.map(length)?;
    let refuse = |refusal| answer(&Reply::Refused(refusal));
    // Before the library is loaded, because its start code is not trusted either. A driver of
    // hardware opens devices and sockets later.
    restrict(task.is_hardware);
    // SVT-AV1 writes a page of information otherwise.
    // SAFETY: the process has only one thread.
    unsafe { std::env::set_var("SVT_LOG", "1") };
    let codecs = match library::load(&task.encoder) {
        Ok(codecs) => codecs,
        Err(refusal) => return refuse(refusal),
    };
    sandbox::encoder_is_loaded(task.is_hardware);
    let mut encoder = match Encoder::open(&codecs, &task) {
        Ok(encoder) => encoder,
        Err(reason) => {
            let reason = with_last_words(reason, &words.take());
            return refuse(Refusal::Failed { reason });
        }
    };
    let (library, header) = (codecs.version.clone(), encoder.header());
    answer(&Reply::Opened { library, header })?;
    loop {
        let request = match next(socket) {
            Ok(request) => request,
            // onair no longer needs this process.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let done = match request {
            Request::Frame { number, key } => {
                let place = i64::try_from(number).unwrap_or(i64::MAX);
                let sent = encoder.send(frame.bytes(), place, key);
                sent.and_then(|()| drain(&mut encoder, socket)).map(|()| number)
            }
            Request::Finish => {
                encoder.finish();
                drain(&mut encoder, socket).map(|()| u64::MAX)
            }
            Request::Change(options) => match encoder.change(&options) {
                Ok(()) => continue,
                Err(reason) => Err(reason),
            },
            Request::Open(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        match done {
            Ok(number) => answer(&Reply::Done { number })?,
            Err(reason) => {
                return answer(&Reply::Failed { reason: with_last_words(reason, &words.take()) });
            }
        }
    }
}

fn next(socket: &HelperStream) -> io::Result<Request> {
    let message = receive(socket, None)?;
    Request::parse(&message).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Sends all packets that are ready.
fn drain(encoder: &mut Encoder<'_>, socket: &HelperStream) -> Result<(), String> {
    let send = |pts, dts, key, data: &[u8]| {
        let packet = Reply::Packet { pts, dts, key, data: data.to_vec() };
        send(socket, &packet.to_bytes(), SEND_TIMEOUT)
    };
    while let Some(sent) = encoder.receive(send)? {
        sent.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Returns the reason, with the last two lines of the library, if there are any. The reason of a
/// driver often comes before a summary.
fn with_last_words(reason: String, text: &str) -> String {
    // The library begins a line with the name and the address of an object: `[libx264 @ 0x…] `.
    let without_object = |line: &str| match line.split_once("] ") {
        Some((object, line)) if object.starts_with('[') => line.to_owned(),
        _ => line.to_owned(),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(without_object).collect();
    let last = lines.get(lines.len().saturating_sub(2)..).unwrap_or_default();
    if last.is_empty() {
        return reason;
    }
    let line: String = last.join("; ").chars().take(MAX_LAST_WORDS).collect();
    format!("{reason}: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_ends_with_the_last_two_lines_of_the_library() {
        let text = "[h264_nvenc @ 0x55] first\n\n[h264_nvenc @ 0x55] Cannot load nvcuda.dll\r\n[a @ 1] no\n";
        let reason = with_last_words("failed".to_owned(), text);
        assert_eq!(reason, "failed: Cannot load nvcuda.dll; no");
        assert_eq!(with_last_words("failed".to_owned(), " \n"), "failed");
        assert!(with_last_words(String::new(), &"é".repeat(900)).len() < 450);
    }
}
