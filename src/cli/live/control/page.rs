//! Parses `--control` lines about browser pages: clicks, keys and texts for the page of a source.

use crate::capture::browser::{HeldKeys, PageInput, PageKey, PointerButton, PointerPress};
use crate::cli::control::split;
use crate::text::Problem;
use crate::text::problem::problem;

/// The syntax of these lines.
const PAGE_SYNTAX: &str = "page click|double-click|move [SOURCE:] X Y [left|middle|right] · \
                     page scroll [SOURCE:] X Y PIXELS · page key [SOURCE:] KEY · \
                     page type [SOURCE:] TEXT · page refresh [SOURCE]";

/// A line about a page.
#[derive(Clone, Debug, PartialEq)]
pub enum PageLine {
    Refresh,
    Inputs(Vec<PageInput>),
}

/// Parses `click Alerts: 320 180`, `type Alerts: Hello`. Returns the name of the source, which is empty
/// for the main video source, and what happens on the page.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn parse(text: &str) -> Result<(String, PageLine), Problem> {
    let unknown = || problem!("control-write", syntax = PAGE_SYNTAX);
    let (word, rest) = split(text);
    if word == "refresh" {
        return Ok((rest.to_owned(), PageLine::Refresh));
    }
    let (name, rest) = rest.split_once(": ").unwrap_or(("", rest));
    let mut words = rest.split_whitespace();
    let mut number =
        || words.next().and_then(|it| it.parse::<f32>().ok()).filter(|it| it.is_finite());
    let keys = HeldKeys::default();
    let inputs = match word {
        "move" | "click" | "double-click" => {
            let at = number().zip(number()).ok_or_else(unknown)?;
            let button = match words.next() {
                None => PointerButton::Left,
                Some(word) => PointerButton::named(word).ok_or_else(unknown)?,
            };
            let pointer = |press| PageInput::Pointer { at, press, keys };
            let press = |count| {
                [PointerPress::Down(button, count), PointerPress::Up(button, count)].map(pointer)
            };
            let mut inputs = vec![pointer(PointerPress::Move)];
            if word != "move" {
                inputs.extend(press(1));
            }
            if word == "double-click" {
                inputs.extend(press(2));
            }
            inputs
        }
        "scroll" => {
            let at = number().zip(number()).ok_or_else(unknown)?;
            let by = (0.0, number().ok_or_else(unknown)?);
            vec![PageInput::Wheel { at, by, keys }]
        }
        "key" => {
            let (key, keys) = key(rest.trim())?;
            [true, false].map(|down| PageInput::Key { key, down, keys }).into()
        }
        "type" if !rest.is_empty() => vec![PageInput::Text(rest.to_owned())],
        _ => return Err(unknown()),
    };
    Ok((name.trim().to_owned(), PageLine::Inputs(inputs)))
}

/// Parses `Ctrl+Shift+a`.
fn key(text: &str) -> Result<(PageKey, HeldKeys), Problem> {
    let mut keys = HeldKeys::default();
    let mut rest = text;
    while let Some((held, after)) = rest.split_once('+').filter(|(_, after)| !after.is_empty()) {
        match held {
            "Ctrl" => keys.ctrl = true,
            "Alt" => keys.alt = true,
            "Shift" => keys.shift = true,
            "Meta" => keys.meta = true,
            _ => break,
        }
        rest = after;
    }
    let key = PageKey::named(rest).ok_or_else(|| problem!("control-no-key", name = rest))?;
    Ok((key, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_inputs_of_a_page() {
        let inputs = |line: &str| match parse(line).unwrap() {
            (name, PageLine::Inputs(inputs)) => (name, inputs),
            other => panic!("{other:?}"),
        };
        let (name, click) = inputs("click My alerts: 10 20.5");
        assert_eq!((name.as_str(), click.len()), ("My alerts", 3));
        let press = PointerPress::Down(PointerButton::Left, 1);
        let keys = HeldKeys::default();
        assert_eq!(click[1], PageInput::Pointer { at: (10.0, 20.5), press, keys });
        assert_eq!(inputs("double-click 1 2 right").1.len(), 5);
        assert_eq!(inputs("scroll A: 1 2 -300").1.len(), 1);
        assert_eq!(inputs("type A: hello: you").1, [PageInput::Text("hello: you".into())]);
        let (_, keys) = inputs("key Ctrl+Shift+a");
        assert!(matches!(&keys[0], PageInput::Key { down: true, keys, .. }
            if keys.ctrl && keys.shift && !keys.alt));
        assert_eq!(parse("refresh My page").unwrap(), ("My page".into(), PageLine::Refresh));
        for bad in ["", "click", "click A: 1", "click 1 2 x", "key A: ä", "type", "scroll 1 2"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
