//! What PHP says of an extension that it cannot load: it depends on how its settings ask for it.

use crate::base::GuestPath;
use crate::image::Rootfs;

use super::data::Unloadable;

/// A line of PHP's settings that asks for an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    /// `zend_extension` rather than `extension`.
    is_zend: bool,
    /// As it is written: `xdebug`, `xdebug.so` or a path.
    value: String,
}

/// PHP's line about the extension at `path`, for the first of the image's settings that asks for it; by its bare name where none does
/// (php-src `ext/standard/dl.c`, `php_load_extension`; `main/php_ini.c`, `php_load_zend_extension_cb`; `Zend/zend_extensions.c`).
pub(super) fn raised(rootfs: &Rootfs, path: &GuestPath, why: Unloadable) -> Option<String> {
    let (whole, name) = (path.to_string(), std::str::from_utf8(path.name()).ok()?);
    let stem = name.strip_suffix(".so")?;
    let folder = path.parent()?;
    let values = [stem, name, &whole];
    let is_asked = |asked: &Asked| values.contains(&asked.value.as_str());
    let asked =
        settings(rootfs).flat_map(|text| asked(&text)).find(is_asked).unwrap_or(Asked { is_zend: false, value: stem.to_owned() });
    let says = |tried: &str| {
        let error = if tried == whole && !why.is_elf {
            "invalid ELF header"
        } else {
            "cannot open shared object file: No such file or directory"
        };
        format!("{tried}: {error}")
    };
    let Asked { is_zend, value } = asked;
    if is_zend && value == whole {
        return Some(format!("Failed loading {whole}:  {}", says(&whole)));
    }
    // The name may be the file's, or the extension's.
    let first = if value == whole { whole.clone() } else { format!("{folder}/{value}") };
    let second = format!("{folder}/{value}.so");
    let tried = [first, second].map(|tried| format!("{tried} ({})", says(&tried))).join(", ");
    let begin = if is_zend { "Failed loading Zend extension" } else { "PHP Startup: Unable to load dynamic library" };
    Some(format!("PHP Warning:  {begin} '{value}' (tried: {tried}) in Unknown on line 0"))
}

/// The texts of the files that PHP reads its settings from.
fn settings(rootfs: &Rootfs) -> impl Iterator<Item = String> {
    let is_read = |path: &GuestPath| {
        let is_available_only = path.parent().is_some_and(|folder| folder.name() == b"mods-available");
        path.name().ends_with(b".ini") && !is_available_only
    };
    let files = rootfs.iter().filter(move |found| is_read(&found.path) && is_of_php(&found.path));
    files.filter_map(|found| Some(String::from_utf8_lossy(rootfs.body(&found.path.to_string())?).into_owned()))
}

/// `/etc/php/8.2/cli/conf.d/10-opcache.ini`, `/usr/local/etc/php/php.ini`, `/etc/php.d/20-gd.ini`.
fn is_of_php(path: &GuestPath) -> bool {
    path.components().any(|component| component.starts_with(b"php"))
}

/// The extensions that a file of settings asks for, in order.
fn asked(text: &str) -> Vec<Asked> {
    let line = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let is_zend = match key.trim() {
            key if key.eq_ignore_ascii_case("extension") => false,
            key if key.eq_ignore_ascii_case("zend_extension") => true,
            _ => return None,
        };
        let value = value.split(';').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        Some(Asked { is_zend, value: value.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn settings_are_read_as_php_reads_them() {
        let text = "[PHP]\n;extension=no\n# zend_extension=no\nextension = \"gd.so\" ; images\nZend_Extension=opcache\nextension_dir=/x\n";
        let asked: Vec<(bool, String)> = asked(text).into_iter().map(|Asked { is_zend, value }| (is_zend, value)).collect();
        assert_eq!(asked, [(false, "gd.so".to_owned()), (true, "opcache".to_owned())]);
    }
}
