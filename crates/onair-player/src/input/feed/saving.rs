//! The file for the received stream: its beginning and its end.

use crate::player::demux::sequence_headers::SequenceHeaders;
use crate::player::input::feed::InputFeed;
use crate::player::input::save::Save;
use crate::player::session::requests::NewFile;
use crate::wire::container::flv::TagKind;

impl InputFeed {
    /// Switches to another output file, or ends the current one.
    pub(super) fn change_file(&mut self) {
        let wanted = self.shared.requests.filing.lock().take();
        if let Some(wanted) = wanted {
            self.save_into(wanted);
        }
    }

    /// Completes the file if saving was stopped. A new file waits for data, which decides how it begins.
    pub(crate) fn end_file(&mut self) {
        if self.shared.requests.filing.lock().take_stop() {
            self.save_into(None);
        }
    }

    /// Saves to another file, or stops saving. The file begins with the received metadata and
    /// configs. If there is video, the first packet is a keyframe.
    pub(super) fn save_into(&mut self, wanted: Option<NewFile>) {
        if let Some(save) = self.save.take() {
            save.finish(&self.shared);
        }
        let Some(made) = wanted else { return };
        let mut save = Save::into_file(made, self.live).telling();
        let SequenceHeaders { script, video, audio, .. } = &self.sequence_headers;
        let sequence_headers =
            [(TagKind::Script, script), (TagKind::Video, video), (TagKind::Audio, audio)];
        for (kind, header) in sequence_headers {
            if let Some(header) = header {
                save.add_header(&self.shared, kind, header);
            }
        }
        if video.is_some() || self.has_video {
            save.waits = true;
        }
        self.save = Some(save);
    }
}
