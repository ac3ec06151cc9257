//! Shows a file in the desktop's file manager (`org.freedesktop.FileManager1`), with the file
//! selected.

use std::io;
use std::path::Path;

use crate::base::portal;
use crate::text::Problem;
use crate::text::problem::problem;

/// Shows a file in its folder.
///
/// # Errors
/// Fails if no file manager supports this, or if the system refuses.
pub fn show(path: &Path) -> Result<(), Problem> {
    const FILE_MANAGER_NAME: &str = "org.freedesktop.FileManager1";
    let address = url::Url::from_file_path(path).map_err(|()| problem!("recordings-no-manager"))?;
    let runtime = portal::runtime()?;
    let asked = runtime.block_on(async {
        let connection = portal::connect().await?;
        let body = (vec![address.as_str()], "");
        let place = "/org/freedesktop/FileManager1";
        let call = connection.call_method(
            Some(FILE_MANAGER_NAME),
            place,
            Some(FILE_MANAGER_NAME),
            "ShowItems",
            &body,
        );
        portal::limited(call).await.map(drop)
    });
    asked.map_err(|_| problem!("recordings-no-manager"))
}

/// Returns the error of the file system that prevented moving a file to the trash.
pub fn trash_cause(error: &trash::Error) -> Option<&io::Error> {
    match error {
        trash::Error::FileSystem { source, .. } => Some(source),
        _ => None,
    }
}
