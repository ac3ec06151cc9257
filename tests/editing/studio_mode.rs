//! Tests of edits in studio mode, which viewers see after *Take*.

use super::{collection, quiet};
use crate::peers::{LIMIT, wait_for};
use onair::capture::VideoChoice;
use onair::compose::scene::{ItemId, Placement};
use onair::media::VideoFrame;
use onair::studio::{Command, Edit, Settings};

#[test]
fn in_studio_mode_the_program_shows_edits_after_the_take() {
    let colors: [VideoChoice; 2] =
        ["color:#000000", "color:#ffffff"].map(|choice| choice.parse().unwrap());
    for is_nested in [false, true] {
        // White covers black.
        let mut collection = collection(&colors);
        let edited = collection.current;
        if is_nested {
            assert!(collection.apply(&Edit::AddScene("Outer".into())));
            let outer = collection.scenes[1].id;
            assert!(collection.apply(&Edit::ShowScene { scene: outer, shown: edited }));
            collection.current = outer;
        }
        let studio = quiet(Settings { collection, ..Settings::default() });
        // The luma in the middle.
        let luma = |frame: VideoFrame| {
            let (width, planes) = (frame.size().width as usize, frame.planes());
            planes.y[planes.y.len() / 2 + width / 2]
        };
        let program = || studio.program().get().map(luma);
        let preview = || studio.snapshot().scenes.preview.get().map(luma);
        wait_for("white", LIMIT, || program() == Some(235));
        studio.send(Command::SetPreviewScene(Some(edited)));
        let corner = Placement { width: 0.25, height: 0.25, ..Placement::default() };
        studio.send(Command::Edit(Edit::SetPlace(ItemId(3), corner)));
        // The compositor draws the program before the preview.
        wait_for("black in the preview", LIMIT, || preview() == Some(16));
        assert_eq!(program(), Some(235), "nested: {is_nested}");
        studio.send(Command::Transition);
        wait_for("black in the program", LIMIT, || program() == Some(16));
        studio.end(LIMIT).unwrap();
    }
}
