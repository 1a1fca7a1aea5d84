//! `npm start`, `yarn start` and their kin: the command that package.json has for it (npm `run-script`).

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::base::GuestPath;
use crate::exec::shell::Value;
use crate::image::Rootfs;

/// What matters of package.json.
#[derive(Debug, Default, Deserialize)]
struct Package {
    #[serde(default)]
    scripts: BTreeMap<String, String>,
}

/// A command that a package's manager runs with `sh -c`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) text: Vec<u8>,
    /// Where: the package's own directory.
    pub(super) directory: GuestPath,
    /// What it puts before PATH.
    pub(super) path: Vec<u8>,
}

/// Finds the script that `manager` with these words runs from `cwd`. `None` where there is none that is sure.
pub(super) fn script(rootfs: &Rootfs, cwd: &GuestPath, manager: &str, words: &[Value]) -> Option<Script> {
    let words: Vec<&[u8]> = words.iter().map(Option::as_deref).collect::<Option<_>>()?;
    let (name, more) = asked(manager, &words)?;
    // The nearest package.json, upwards.
    let directories = std::iter::successors(Some(cwd.clone()), GuestPath::parent);
    let (directory, body) = directories.take(64).find_map(|directory| {
        let path = directory.join("package.json").to_string();
        Some((directory, rootfs.body(&path)?))
    })?;
    let package: Package = serde_json::from_slice(body).ok()?;
    // What runs before it may end it: that is not followed.
    if package.scripts.contains_key(&format!("pre{name}")) {
        return None;
    }
    let command = package.scripts.get(name)?;
    let text = more.iter().fold(command.clone().into_bytes(), |text, word| [&text[..], b" '", word, b"'"].concat());
    let path = directory.join("node_modules/.bin").as_bytes().to_vec();
    Some(Script { text, directory, path })
}

/// The script's name, and the words that it is given.
fn asked<'a>(manager: &str, words: &'a [&'a [u8]]) -> Option<(&'a str, &'a [&'a [u8]])> {
    // Options that change where or how it runs are not read.
    let rest: &[&[u8]] = match words {
        [b"--silent" | b"-s", rest @ ..] => rest,
        rest => rest,
    };
    let (name, more) = match rest {
        [b"run" | b"run-script", name, more @ ..] => (*name, more),
        [name @ (b"start" | b"test"), more @ ..] => (*name, more),
        [name, more @ ..] if manager != "npm" => (*name, more),
        _ => return None,
    };
    let more = match more {
        [b"--", more @ ..] => more,
        more => more,
    };
    let is_plain = !name.starts_with(b"-") && more.iter().all(|word| !word.contains(&b'\''));
    Some((std::str::from_utf8(name).ok().filter(|_| is_plain)?, more))
}

#[cfg(test)]
mod tests {
    use super::script;
    use crate::base::GuestPath;
    use crate::exec::tests::{File, rootfs};

    fn found(manager: &str, words: &str) -> Option<String> {
        let package = r#"{"name": "x", "scripts": {"start": "node server.js", "serve": "tsx x", "postserve": "y", "check": "z", "precheck": "y"}}"#;
        let rootfs = rootfs(vec![("/app/package.json", File::kept(package))]);
        let words: Vec<_> = words.split(' ').map(|word| Some(word.as_bytes().to_vec())).collect();
        let script = script(&rootfs, &GuestPath::new("/app/src"), manager, &words)?;
        assert_eq!((script.directory.as_bytes(), &script.path[..]), (&b"/app"[..], &b"/app/node_modules/.bin"[..]));
        Some(String::from_utf8(script.text).unwrap())
    }

    #[test]
    fn the_script_of_package_json_is_found() {
        assert_eq!(found("npm", "start").as_deref(), Some("node server.js"));
        assert_eq!(found("npm", "run serve -- --port 1").as_deref(), Some("tsx x '--port' '1'"));
        assert_eq!(found("yarn", "serve").as_deref(), Some("tsx x"));
        assert_eq!(found("npm", "serve"), None);
        assert_eq!(found("npm", "run check"), None, "what runs before it is not followed");
        assert_eq!(found("npm", "--prefix x start"), None);
        assert_eq!(found("npm", "run gone"), None);
    }
}
