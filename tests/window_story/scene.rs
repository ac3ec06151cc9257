//! The part of the evening about scenes: after the first-run guide, a second scene with a source of
//! one color; on air, the change to this scene and back, which viewers see.

use super::*;

/// The scene that the guide leaves, and the new one.
pub(super) const MAIN: &str = "Main";
const BREAK: &str = "Break";

/// The initial color of a color source.
const COLOR: [u8; 3] = [0x1e, 0x24, 0x30];
/// The largest difference of a channel after encoding.
const NEAR: u8 = 8;

impl Story {
    /// Waits until the health bar in the window has this sentence.
    pub(super) fn bar_says(&mut self, sentence: &str) {
        self.widgets.wait("status bar", "", |it| it.name == sentence);
    }
}

/// Adds the second scene, which is not ready while it is empty, and returns to the first.
pub(super) fn is_built_by_mouse(story: &mut Story) {
    story.widgets.wait_gone("dialog", "");
    story.bar_says("Ready to go live.");
    story.click("push button", "Add a scene");
    is_named(story);
    story.click("push button", "Add source…");
    story.click("push button", "Color");
    story.bar_says("Ready to go live.");
    story.click("radio button", MAIN);
    story.bar_says("Ready to go live.");
}

/// The same with the commands of the palette.
pub(super) fn is_built_by_keyboard(story: &mut Story) {
    story.widgets.wait_gone("dialog", "");
    story.bar_says("Ready to go live.");
    runs(story, "add a scene");
    is_named(story);
    runs(story, "add a source");
    story.focused("entry", "Search sources");
    story.types("color");
    story.press("Return");
    story.bar_says("Ready to go live.");
    story.press("alt+1");
    story.bar_says("Ready to go live.");
}

/// Runs a command of the palette.
fn runs(story: &mut Story, command: &str) {
    story.press("ctrl+k");
    story.focused("entry", "Commands");
    story.types(command);
    story.press("Return");
}

/// Names the new, empty scene.
fn is_named(story: &mut Story) {
    story.focused("entry", "Name");
    story.types(BREAK);
    story.press("Return");
    // The log has the sentence only once, perhaps with the name that the window suggested.
    story.bar_says("The scene Break has no visible source.");
}

/// Switches to the second scene and back on air. `switch` gets the name of the scene.
pub(super) fn is_switched_on_air(
    story: &mut Story,
    nginx: &Nginx,
    switch: impl Fn(&mut Story, &str),
) {
    assert!(!is_color_served(nginx), "the first scene is on air");
    for scene in [BREAK, MAIN] {
        switch(story, scene);
        story.waits(scene, || is_color_served(nginx) == (scene == BREAK));
        story.bar_says("All good.");
    }
}

/// Returns true if the next frame that nginx serves has the color of the second scene.
fn is_color_served(nginx: &Nginx) -> bool {
    let seen = ffmpeg::color(&nginx.url("keyed", KEY));
    seen.into_iter().zip(COLOR).all(|(seen, wanted)| seen.abs_diff(wanted) <= NEAR)
}
