//! The second canvas: a program with a scene and a size of its own, made from the same sources, for
//! example upright for phones. This module contains only its settings.

use crate::media::{ExtraTrack, ProgramId, Size};

/// The program of the second canvas. Programs with smaller ids belong to commands.
pub const SECOND_PROGRAM: ProgramId = ProgramId(15);

/// The settings of the second canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondCanvas {
    /// True if there is a second canvas.
    pub enabled: bool,
    pub size: Size,
    /// The name of its scene. If no scene has this name, the canvas shows the scene of the program.
    pub scene: String,
    /// True if recordings of the program also record the second canvas.
    pub record: bool,
    /// The extra track that its recordings get as their audio; `None` means the program's audio.
    pub mix: Option<ExtraTrack>,
}

impl Default for SecondCanvas {
    fn default() -> Self {
        let (size, scene) = (Size::new(720, 1_280), String::new());
        Self { enabled: false, size, scene, record: false, mix: None }
    }
}
