//! The pointer on the browser page with which the user works. Positions go from the window through the placement of the
//! item to the page. Pure: the events come from `interact`.

use egui::{Event, MouseWheelUnit, Pos2};

use crate::capture::browser::{HeldKeys, PageInput, PointerButton, PointerPress};
use crate::compose::layout;
use crate::compose::scene::Placement;
use crate::media::Size;
use crate::ui::scenes::canvas::handles::Frame;
use crate::ui::scenes::canvas::interaction::{Interaction, held};

/// Distance that a step of a wheel scrolls, in pixels of the page.
const LINE_PIXELS: f32 = 40.0;
/// The way from the window to a page.
#[derive(Copy, Clone, Debug)]
pub struct PageMapping {
    frame: Frame,
    /// From the program to the unit square of the visible part.
    back: layout::Affine,
    /// The visible part: left, top, width and height in fractions.
    part: [f64; 4],
    page: Size,
}

impl PageMapping {
    /// Returns the way to a page of size `page`, which has the size `natural` after its filters.
    pub fn new(frame: Frame, place: &Placement, natural: Size, page: Size) -> Option<Self> {
        let natural = (f64::from(natural.width), f64::from(natural.height));
        let (map, part) = layout::map(place, natural, frame.canvas);
        Some(Self { frame, back: map.inverse()?, part, page })
    }

    /// Returns a position in pixels of the page, and whether the page is visible there.
    fn to_page(self, at: Pos2) -> ((f32, f32), bool) {
        let (x, y) = self.frame.to_program(at);
        let (x, y) = self.back.apply(x, y);
        let [left, top, width, height] = self.part;
        let pixel = |at: f64, side: u32| (at * f64::from(side)) as f32;
        let place =
            (pixel(left + x * width, self.page.width), pixel(top + y * height, self.page.height));
        (place, (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y))
    }
}

/// Returns what the pointer does on the page. What begins on the page also ends there.
pub fn of_pointer(
    it: &mut Interaction,
    way: PageMapping,
    event: &Event,
    over: bool,
    now: f64,
) -> Option<PageInput> {
    match event {
        Event::PointerMoved(at) => {
            let (at, inside) = way.to_page(*at);
            let press = PointerPress::Move;
            let goes = !it.held.is_empty() || over && inside;
            goes.then_some(PageInput::Pointer { at, press, keys: HeldKeys::default() })
        }
        Event::PointerButton { pos, button, pressed, modifiers } => {
            let button = match button {
                egui::PointerButton::Primary => PointerButton::Left,
                egui::PointerButton::Middle => PointerButton::Middle,
                egui::PointerButton::Secondary => PointerButton::Right,
                _ => return None,
            };
            let ((at, inside), keys) = (way.to_page(*pos), held(*modifiers));
            if *pressed {
                if !(over && inside) {
                    return None;
                }
                it.held.push(button);
                let press = PointerPress::Down(button, it.presses(now, button, at));
                return Some(PageInput::Pointer { at, press, keys });
            }
            let index = it.held.iter().position(|held| *held == button)?;
            it.held.remove(index);
            let count = it.last.map_or(1, |(.., count)| count);
            Some(PageInput::Pointer { at, press: PointerPress::Up(button, count), keys })
        }
        Event::MouseWheel { unit, delta, modifiers, .. } => {
            let (at, _) = way.to_page(it.pointer?);
            if !over {
                return None;
            }
            let step = match unit {
                MouseWheelUnit::Point => 1.0,
                MouseWheelUnit::Line => LINE_PIXELS,
                MouseWheelUnit::Page => way.page.height as f32,
            };
            // A page counts downwards.
            let by = (-delta.x * step, -delta.y * step);
            Some(PageInput::Wheel { at, by, keys: held(*modifiers) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use egui::{Modifiers, Rect, pos2, vec2};

    use super::*;
    use crate::compose::scene::{Fit, ItemId};

    fn way(place: Placement) -> PageMapping {
        let (canvas, page) = (Size::new(1280, 720), Size::new(320, 180));
        let rect = Rect::from_min_size(pos2(100.0, 50.0), vec2(640.0, 360.0));
        let frame = Frame::new(rect, rect, canvas).unwrap();
        PageMapping::new(frame, &place, page, page).unwrap()
    }

    fn near(seen: (f32, f32), wanted: (f32, f32)) -> bool {
        (seen.0 - wanted.0).abs() < 0.01 && (seen.1 - wanted.1).abs() < 0.01
    }

    #[test]
    fn a_click_goes_back_through_the_placement_of_the_page() {
        // The page fills the right half of the program; the window shows half of its pixels.
        let half = Placement { x: 0.5, width: 0.5, height: 0.5, ..Placement::default() };
        let (at, inside) = way(half).to_page(pos2(420.0, 50.0));
        assert!(inside && near(at, (0.0, 0.0)), "{at:?}");
        let (at, inside) = way(half).to_page(pos2(740.0, 230.0));
        assert!(inside && near(at, (320.0, 180.0)), "{at:?}");
        assert!(!way(half).to_page(pos2(200.0, 100.0)).1);
        let mirrored = Placement { flip_x: true, ..half };
        assert!(near(way(mirrored).to_page(pos2(420.0, 50.0)).0, (320.0, 0.0)));
        let turned = Placement { rotation: 180.0, ..half };
        assert!(near(way(turned).to_page(pos2(420.0, 50.0)).0, (320.0, 180.0)));
        let mut cropped = half;
        cropped.crop.left = 0.5;
        cropped.fit = Fit::Stretch;
        assert!(near(way(cropped).to_page(pos2(420.0, 50.0)).0, (160.0, 0.0)));
    }

    #[test]
    fn a_press_on_the_page_ends_there_and_one_beside_it_does_not_begin() {
        let half = Placement { x: 0.5, width: 0.5, height: 0.5, ..Placement::default() };
        let (way, mut it) = (way(half), Interaction::new(ItemId(1)));
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let (on, beside) = (pos2(500.0, 100.0), pos2(200.0, 100.0));
        assert_eq!(of_pointer(&mut it, way, &button(beside, true), true, 0.0), None);
        assert_eq!(of_pointer(&mut it, way, &button(beside, false), true, 0.0), None);
        let counts: Vec<u8> = [0.0, 0.1, 2.0]
            .into_iter()
            .map(|now| {
                let down = of_pointer(&mut it, way, &button(on, true), true, now);
                let up = of_pointer(&mut it, way, &button(beside, false), false, now);
                assert!(matches!(up, Some(PageInput::Pointer { press: PointerPress::Up(..), .. })));
                match down {
                    Some(PageInput::Pointer { press: PointerPress::Down(_, count), .. }) => count,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(counts, [1, 2, 1]);
    }
}
