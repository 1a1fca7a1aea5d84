//! The rows of `rules/data/` that judge files by their place.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::{GuestPath, matches};

/// Files that are not meant to run on the node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exemption {
    pattern: String,
    /// A path that the pattern is for.
    #[cfg_attr(not(test), expect(dead_code, reason = "the row's test"))]
    example: String,
    reason: String,
}

/// Files that a language's runtime loads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Loaded {
    pattern: String,
    runtime: String,
}

#[derive(Debug, Default, Deserialize)]
struct Exemptions {
    exemption: Vec<Exemption>,
}

/// What a runtime says where it cannot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raises {
    runtime: String,
    text: String,
    tagged: Option<String>,
    not_elf: Option<String>,
}

/// Why a runtime cannot load a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unloadable {
    /// For another machine, rather than no ELF file at all.
    pub(super) is_elf: bool,
    /// Its name says that it is for another machine or system: some runtimes do not look at it then.
    pub(super) is_tagged: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Runtimes {
    library: Vec<Loaded>,
    raises: Vec<Raises>,
}

// Text that was compiled in and that a test reads: it parses, or the test fails.
static EXEMPTIONS: LazyLock<Vec<Exemption>> = LazyLock::new(|| {
    toml::from_str::<Exemptions>(include_str!("../../rules/data/exemptions.toml")).unwrap_or_default().exemption
});
static RUNTIMES: LazyLock<Runtimes> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/data/runtimes.toml")).unwrap_or_default());

/// Why the file at `path` is data, if it is.
pub(super) fn exemption(path: &GuestPath) -> Option<&'static str> {
    EXEMPTIONS.iter().find(|row| matches(&row.pattern, path.as_bytes())).map(|row| row.reason.as_str())
}

/// Which language's runtime loads the library at `path`, if one does.
pub(super) fn runtime(path: &GuestPath) -> Option<&'static str> {
    RUNTIMES.library.iter().find(|row| matches(&row.pattern, path.as_bytes())).map(|row| row.runtime.as_str())
}

/// What a runtime raises where it is to load the library at `path`.
pub(super) fn raised(runtime: &str, path: &GuestPath, why: Unloadable) -> Option<String> {
    let row = RUNTIMES.raises.iter().find(|row| row.runtime == runtime)?;
    let whole = path.to_string();
    let tagged = row.tagged.as_ref().filter(|_| why.is_tagged);
    let text = tagged.or(if why.is_elf { Some(&row.text) } else { row.not_elf.as_ref() });
    Some(text?.replace("{path}", &whole).replace("{module}", &module(&whole)))
}

/// What a language calls the module that lies there: Perl by the folders below `auto`, Python by those below its packages.
fn module(whole: &str) -> String {
    if let Some((folders, _)) = whole.rsplit_once("/auto/").and_then(|(_, inside)| inside.rsplit_once('/')) {
        return folders.replace('/', "::");
    }
    let inside = ["-packages/", "lib-dynload/"].iter().find_map(|folder| whole.rsplit_once(folder)).map(|(_, inside)| inside);
    let name = inside.unwrap_or_else(|| whole.rsplit('/').next().unwrap_or_default());
    // The file's name begins with the module's, and ends with tags.
    let (folders, file) = name.rsplit_once('/').map_or((None, name), |(folders, file)| (Some(folders), file));
    let last = file.split('.').next().unwrap_or_default();
    folders.map_or_else(|| last.to_owned(), |folders| format!("{}.{last}", folders.replace('/', ".")))
}

#[cfg(test)]
mod tests {
    use super::{EXEMPTIONS, RUNTIMES, Unloadable, exemption, matches, raised, runtime};
    use crate::base::GuestPath;

    #[test]
    fn every_row_has_a_reason_and_is_the_one_that_exempts_its_example() {
        assert!(EXEMPTIONS.len() > 20);
        for row in EXEMPTIONS.iter() {
            assert!(row.reason.len() > 10, "{row:?}");
            assert_eq!(exemption(&GuestPath::new(&row.example)), Some(row.reason.as_str()), "{row:?}");
            let by = EXEMPTIONS.iter().find(|other| matches(&other.pattern, row.example.as_bytes()));
            assert_eq!(by.map(|other| &other.pattern), Some(&row.pattern), "another row is enough");
        }
        assert!(RUNTIMES.library.len() > 5 && RUNTIMES.raises.len() > 3);
    }

    /// As perl 5.36 says it, of a library for aarch64 on x86_64.
    #[test]
    fn perls_modules_are_named_as_perl_names_them() {
        let path = GuestPath::new("/usr/lib/perl5/auto/List/Util/Util.so");
        let text = raised("Perl", &path, Unloadable { is_elf: true, is_tagged: false }).unwrap();
        assert!(
            text.starts_with(&format!("Can't load '{path}' for module List::Util: {path}: cannot open shared object file")),
            "{text}"
        );
    }

    #[test]
    fn what_runs_is_not_exempt() {
        for path in [
            "/usr/bin/app",
            "/usr/lib/x/libc.so.6",
            "/usr/lib/aarch64-linux-gnu/libc.so.6",
            "/usr/local/bin/qemu-aarch64-static",
            "/usr/lib/python3/dist-packages/debug/_fast.so",
            "/usr/bin/grub-install",
            "/srv/node_modules/x/build/Release/x.node",
            "/usr/lib/go/bin/go",
        ] {
            assert!(exemption(&GuestPath::new(path)).is_none(), "{path}");
        }
        assert_eq!(runtime(&GuestPath::new("/usr/lib/python3/dist-packages/a/_b.so")), Some("Python"));
        assert_eq!(runtime(&GuestPath::new("/app/node_modules/x/build/Release/x.node")), Some("Node.js"));
    }
}
