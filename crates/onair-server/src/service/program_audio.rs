//! Passes the studio's audio to WHEP viewers.

use crate::server::service::Server;
use crate::server::webrtc::whep::production::program_audio::{
    self, ProgramAudio, ProgramAudioNeed,
};

impl Server {
    /// Returns whether WHEP viewers of the own stream need the program's audio.
    pub fn program_audio_need(&self) -> ProgramAudioNeed {
        program_audio::need(&self.registry)
    }

    /// Encodes this audio for the WHEP viewers of the own stream, instead of the stream's own audio, which arrives
    /// later. It ends with its queue, or when nobody listens any more.
    pub fn serve_program_audio(&self, audio: ProgramAudio) {
        program_audio::serve(&self.registry, audio);
    }
}
