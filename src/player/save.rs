//! What is received, written to an FLV file as it is (`--save`): bodies unchanged, times made
//! continuous from zero. Runs on the feed thread.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::Failure;
use crate::player::dump::cannot_write;
use crate::player::shared::Shared;
use crate::player::timeline::Timeline;
use crate::wire::flv::{self, TagKind};

/// Where the flags stand in the file header, which say what is in the file.
const FLAGS_AT: u64 = 4;

/// An FLV file being written.
pub(super) struct Save {
    path: PathBuf,
    file: BufWriter<File>,
    timeline: Timeline,
    /// Milliseconds of the last tag.
    last_ms: u32,
    video: bool,
    audio: bool,
    broken: bool,
    buffer: BytesMut,
}

impl Save {
    /// Creates the file.
    pub(super) fn create(path: &Path, live: bool) -> Result<Self, Failure> {
        let fail = |error: std::io::Error| cannot_write(path, &error.to_string());
        let mut file = BufWriter::new(File::create(path).map_err(fail)?);
        file.write_all(&flv::file_header(true, true)).map_err(fail)?;
        file.flush().map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            timeline: Timeline::new(live),
            last_ms: 0,
            video: false,
            audio: false,
            broken: false,
            buffer: BytesMut::new(),
        })
    }

    /// The connection was made anew.
    pub(super) fn restart(&mut self) {
        self.timeline.restart();
    }

    /// Adds a body. Headers carry no time of their own that could be trusted.
    pub(super) fn add(
        &mut self,
        shared: &Shared,
        kind: TagKind,
        time_ms: u32,
        body: &Bytes,
        now: Timestamp,
    ) {
        if self.broken || body.is_empty() {
            return;
        }
        let place = match kind {
            TagKind::Script => None,
            TagKind::Video => {
                self.video = true;
                let header = flv::parse_video(body).is_ok_and(|tag| tag.is_sequence_start());
                (!header).then_some(Track::Video)
            }
            TagKind::Audio => {
                self.audio = true;
                let header = flv::parse_audio(body).is_ok_and(|tag| tag.is_sequence_start());
                (!header).then_some(Track::Audio)
            }
        };
        if let Some(track) = place {
            let at = self.timeline.place(track, time_ms, now).dts.as_millis();
            // Modulo 2³², as the format has it.
            self.last_ms = at.max(0) as u32;
        }
        self.buffer.clear();
        flv::write_tag(kind, self.last_ms, body, &mut self.buffer);
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.broken = true;
            shared.output_failed(&cannot_write(&self.path, &error.to_string()));
        }
    }

    /// Completes the file.
    pub(super) fn finish(mut self, shared: &Shared) {
        if self.broken {
            return;
        }
        let flags = if self.audio { 4 } else { 0 } | u8::from(self.video);
        let whole = self
            .file
            .seek(SeekFrom::Start(FLAGS_AT))
            .and_then(|_| self.file.write_all(&[flags]))
            .and_then(|()| self.file.flush());
        if let Err(error) = whole {
            shared.output_failed(&cannot_write(&self.path, &error.to_string()));
        }
    }
}
