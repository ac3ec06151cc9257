//! Names that people give to scenes, sources and strips.

/// A name as it is kept: one line of at most so many characters, none of them a control character.
pub(super) fn clean(name: &str, most: usize) -> String {
    let printable = name.chars().filter(|it| !it.is_control()).take(most);
    printable.collect::<String>().trim().to_owned()
}
