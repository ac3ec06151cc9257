//! What a window of Windows needs, or does not.

/// Windows itself decides which window gets the focus.
pub mod activation {
    use eframe::CreationContext;

    /// The activation with tokens, which only Wayland has.
    pub enum Activation {}

    impl Activation {
        /// Returns `None`: there are no tokens.
        pub fn new(_context: &CreationContext<'_>) -> Option<Self> {
            None
        }

        /// There is no activation.
        pub fn activate(&mut self, _token: &str) {}
    }
}

/// The file dialogs of Windows.
pub mod dialogs {
    /// Returns true: Windows always has a file dialog.
    pub fn has_dialog() -> bool {
        true
    }
}

/// The desktop of Windows does not disappear while a program runs.
pub mod display {
    /// Returns false.
    pub fn is_gone() -> bool {
        false
    }

    /// Does nothing.
    pub fn outlive() {}
}
