//! Makes a transport stream from a stream as FLV.

use bytes::{Bytes, BytesMut};

use crate::media::{StreamConfig, StreamEvent, TrackConfig};
use crate::wire::container::flv::Reader;
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::ts::{PACKET_BYTES, StreamWriter};

/// Size of a payload: seven transport packets.
const PAYLOAD_BYTES: usize = 7 * PACKET_BYTES;

/// The converter of one viewer.
#[derive(Debug)]
pub(super) struct Output {
    reader: Reader,
    config: StreamConfig,
    /// The writer; `None` while transport streams do not carry any known track.
    writer: Option<StreamWriter>,
    begun: BytesMut,
}

impl Output {
    pub fn new() -> Self {
        Self {
            reader: Reader::new(|_| true),
            config: StreamConfig::default(),
            writer: None,
            begun: BytesMut::new(),
        }
    }

    /// Takes a part of the FLV file, and passes the full payloads to `send`. Returns false if the
    /// file is damaged.
    pub fn push(&mut self, flv: &[u8], send: &mut dyn FnMut(Bytes)) -> bool {
        self.reader.push(flv);
        loop {
            let tag = match self.reader.next_tag() {
                Ok(Some(tag)) => tag,
                Ok(None) => break,
                Err(_) => return false,
            };
            for event in tag.events.into_iter().flatten() {
                if let TagEvent::Event(event) = event {
                    self.take(event);
                }
            }
        }
        while self.begun.len() >= PAYLOAD_BYTES {
            send(self.begun.split_to(PAYLOAD_BYTES).freeze());
        }
        true
    }

    fn take(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Config(TrackConfig::Video(video)) => {
                self.config.video = Some(video);
                self.set_tracks();
            }
            StreamEvent::Config(TrackConfig::Audio(audio)) => {
                self.config.audio = Some(audio);
                self.set_tracks();
            }
            StreamEvent::Packet(packet) => {
                if let Some(writer) = &mut self.writer {
                    self.begun.extend_from_slice(&writer.write(&packet));
                }
            }
            _ => {}
        }
    }

    fn set_tracks(&mut self) {
        // A codec that transport streams do not carry leaves the other track.
        let StreamConfig { video, audio, .. } = &self.config;
        for (video, audio) in [(video, audio), (video, &None), (&None, audio)] {
            let (video, audio) = (video.as_ref(), audio.as_ref());
            match &mut self.writer {
                Some(writer) => {
                    if writer.set_tracks(video, audio) {
                        return;
                    }
                }
                None => {
                    self.writer = StreamWriter::new(video, audio);
                    if self.writer.is_some() {
                        return;
                    }
                }
            }
        }
    }
}
