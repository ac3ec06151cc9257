//! The audio strips that were removed with the last use of their sources. A paste brings them back,
//! so that cutting and pasting a source is a move.

use crate::mix::StripId;
use crate::studio::mixer::{AudioStrip, MAX_MIXER_STRIPS, free_id};

/// The removed strips, oldest first.
#[derive(Debug, Default)]
pub struct RemovedStrips(Vec<AudioStrip>);

impl RemovedStrips {
    /// Remembers the strips whose sources no strip uses any more.
    pub fn remember(&mut self, before: &[AudioStrip], after: &[AudioStrip]) {
        for gone in before.iter().filter(|strip| is_added(strip, after)) {
            self.0.retain(|strip| strip.choice != gone.choice);
            self.0.push(gone.clone());
        }
        self.0.drain(..self.0.len().saturating_sub(MAX_MIXER_STRIPS));
    }

    /// Replaces the strips that are new since `before` by the removed strips with the same sources.
    pub fn restore(&self, before: &[AudioStrip], strips: &mut Vec<AudioStrip>) {
        let added: Vec<AudioStrip> =
            strips.extract_if(.., |strip| is_added(strip, before)).collect();
        for new in added {
            let removed = self.0.iter().find(|strip| strip.choice == new.choice);
            add(strips, removed.cloned().unwrap_or(new));
        }
    }
}

/// Adds a strip, with its earlier id unless another strip has it. Side chains of other strips may
/// name the earlier id.
pub fn add(strips: &mut Vec<AudioStrip>, strip: AudioStrip) {
    let id = if strips.iter().all(|other| other.id != strip.id) {
        Some(strip.id)
    } else {
        // The strip must not become its own side chain.
        free_id(&[&strips[..], std::slice::from_ref(&strip)].concat())
    };
    strips.extend(id.map(|id| AudioStrip { id, ..strip }));
}

/// Returns true if none of the `others` has the source of this strip.
fn is_added(strip: &AudioStrip, others: &[AudioStrip]) -> bool {
    let is_main = |it: &AudioStrip| it.id == StripId::MAIN;
    !is_main(strip) && others.iter().all(|it| is_main(it) || it.choice != strip.choice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioChoice;

    fn strip(id: u32, name: &str, file: usize) -> AudioStrip {
        let choice = AudioChoice::File(format!("/{file}.mp4").into());
        AudioStrip { name: name.into(), ..AudioStrip::new(StripId(id), choice) }
    }

    #[test]
    fn a_removed_strip_returns_with_its_id_unless_another_strip_has_the_id() {
        let mut removed = RemovedStrips::default();
        let rest = vec![AudioStrip::main(), strip(1, "Other", 1)];
        let all = [rest.clone(), vec![strip(2, "Clip", 2), strip(3, "Song", 3)]].concat();
        removed.remember(&all, &rest);
        let mut strips = [rest.clone(), vec![strip(4, "", 3), strip(5, "", 4)]].concat();
        removed.restore(&rest, &mut strips);
        assert_eq!(strips[2..], [strip(3, "Song", 3), strip(5, "", 4)]);
        let before = strips.clone();
        strips[2].id = StripId(2);
        strips.push(strip(6, "", 2));
        removed.restore(&before, &mut strips);
        assert_eq!(strips[4], strip(3, "Clip", 2));
    }

    #[test]
    fn the_number_of_removed_strips_is_limited() {
        let mut removed = RemovedStrips::default();
        for file in 0..MAX_MIXER_STRIPS * 2 {
            removed.remember(&[strip(1, "", file)], &[]);
        }
        assert_eq!(removed.0.len(), MAX_MIXER_STRIPS);
    }
}
