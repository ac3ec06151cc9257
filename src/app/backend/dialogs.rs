//! Finds the desktop's file dialog.

use crate::base::portal;

/// Returns true if there is a portal with file dialogs, or the dialog program `zenity`.
pub fn has_dialog() -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&paths).any(|folder| folder.join("zenity").is_file()) {
        return true;
    }
    const FILE_CHOOSER_INTERFACE: &str = "org.freedesktop.portal.FileChooser";
    portal::runtime().is_ok_and(|runtime| {
        runtime
            .block_on(async {
                let connection = portal::connect().await?;
                portal::property(&connection, FILE_CHOOSER_INTERFACE, "version").await
            })
            .is_ok()
    })
}
