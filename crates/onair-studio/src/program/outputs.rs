//! The connections of the program with encoders: the frames and the audio of the main program, of
//! other programs made from the same sources, and of single sources.

use std::time::Duration;

use crate::base::queue::Sender;
use crate::base::{Latest, Timestamp};
use crate::media::{ExtraTrack, ProgramId, SampleBlock, Size, VideoFrame};
use crate::studio::program::{OtherCanvas, Program};
use crate::studio::scenes::Collection;

/// The audio of a program.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ProgramSound {
    /// The audio that all programs share.
    Shared,
    /// The strips in this track alone.
    Track(ExtraTrack),
    /// No audio.
    None,
}

/// The queues that lead to the encoders of a program.
#[derive(Debug)]
pub struct ProgramQueues {
    pub id: ProgramId,
    pub video: Option<Sender<VideoFrame>>,
    pub audio: Option<Sender<SampleBlock>>,
    pub sound: ProgramSound,
}

impl ProgramSound {
    /// Returns the audio of a program with the sources of this one.
    pub fn of(program: &Program) -> Self {
        if program.has_audio() { Self::Shared } else { Self::None }
    }
}

impl Program {
    /// Sends frames and audio to these queues as well, from this instant on. Both begin at the same
    /// time, regardless of delays of the producing threads.
    pub fn attach(&self, queues: ProgramQueues, from: Timestamp) {
        let ProgramQueues { id, video, audio, sound } = queues;
        match video {
            Some(video) if id == ProgramId::MAIN => {
                self.compositor.attach_encoder_from(video, from);
            }
            Some(video) => self.compositor.attach_other(id, Some((video, from))),
            None => {}
        }
        match (sound, audio) {
            (ProgramSound::Shared, Some(audio)) => {
                self.mixer.attach_encoder_of(id, audio, from);
            }
            (ProgramSound::Track(track), Some(audio)) => {
                self.mixer.attach_track_of(id, track, Some((audio, from)));
            }
            (ProgramSound::None, _) | (_, None) => {}
        }
    }

    /// Ends the queues of a program. Audio that is late follows for at most `wait`.
    pub fn detach(&self, id: ProgramId, wait: Duration) {
        let end = self.mixer.end_within(wait);
        self.mixer.detach_encoder_of(id, end);
        self.mixer.detach_tracks_of(id, end);
        match id {
            ProgramId::MAIN => self.compositor.detach_encoder(),
            id => self.compositor.attach_other(id, None),
        }
    }

    /// Returns the canvas of another program.
    pub fn other(&self, id: ProgramId) -> Option<OtherCanvas> {
        self.others.get(&id).map(|(canvas, _)| *canvas)
    }

    /// Returns the size of another program's canvas.
    pub fn other_size(&self, id: ProgramId) -> Option<Size> {
        self.other(id).map(|canvas| canvas.size)
    }

    /// Publishes the frames of another program for the window. `None` ends this.
    pub fn show_other(
        &mut self,
        id: ProgramId,
        slot: Option<Latest<VideoFrame>>,
        collection: &Collection,
    ) {
        match slot {
            Some(slot) => drop(self.canvas_views.insert(id, slot)),
            None => drop(self.canvas_views.remove(&id)),
        }
        self.set_other(id, self.other(id), collection);
    }
}
