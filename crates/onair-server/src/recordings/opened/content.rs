//! The known content of a recording.

use bytes::Bytes;

use crate::server::hls::part::Initialization;
use crate::server::recordings::folder::FileVersion;
use crate::server::recordings::segments::{RecordedTracks, SegmentIndex};
use crate::wire::container::mp4::live;

/// The known content of a recording.
#[derive(Debug, Default)]
pub(crate) struct RecordingContent {
    pub index: SegmentIndex,
    pub initialization: Option<Initialization>,
    /// The file that was read.
    pub version: FileVersion,
    /// True if nothing will be added.
    pub ended: bool,
}

impl RecordingContent {
    /// Completes segments; with `ended`, also the last one.
    pub(in crate::recordings) fn complete(&mut self, ended: bool) {
        self.index.cut(ended);
        self.ended = ended;
        let (video, audio) = (self.index.video_config.as_ref(), self.index.audio_config.as_ref());
        // At the end, a video track without a frame disappears.
        let is_old = |it: &Initialization| it.video.is_some() != video.is_some();
        if self.initialization.as_ref().is_none_or(is_old) && !self.index.is_empty() {
            self.initialization = Some(Initialization::new(video, audio));
        }
    }

    /// Returns the initialization segment of these tracks.
    pub fn initialization_of(&self, tracks: RecordedTracks) -> Option<Bytes> {
        let known = self.initialization.as_ref()?;
        match tracks {
            RecordedTracks::All => Some(known.whole.clone()),
            RecordedTracks::Video => known.video.clone(),
            RecordedTracks::Audio(0) => known.audio.clone(),
            RecordedTracks::Audio(index) => {
                let (config, ..) = self.index.audio_track(index)?;
                let tracks = live::tracks(None, Some(config));
                Some(live::initialization(&tracks, self.index.audio_number()))
            }
        }
    }
}
