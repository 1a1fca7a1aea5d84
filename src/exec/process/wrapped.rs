//! Programs that become others, or read a file of instructions: what comes next.

use crate::base::GuestPath;
use crate::exec::shell::Value;
use crate::exec::wrappers::{self, Split, Wrapper};
use crate::exec::{Cause, Libc, Outcome, Voice, elf, launch};
use crate::format::content::Content;
use crate::image::{Credentials, EntryKind};

use super::login::Login;
use super::{Caller, Follower, NOT_KNOWN, Next, Process, SUPERVISOR, packages, shown, unsure};

impl Follower<'_> {
    /// A package manager that runs a script of package.json.
    pub(super) fn packaged(&self, manager: &str, words: &[Value], process: &Process) -> Option<Next> {
        if !wrappers::is_package_manager(manager) {
            return wrappers::is_supervisor(manager).then(|| unsure(SUPERVISOR));
        }
        let Some(script) = packages::script(self.rootfs, &process.cwd, manager, words) else { return Some(unsure(SUPERVISOR)) };
        let path = [b"PATH=", script.path.as_slice(), b":", process.path()].concat();
        let others = process.env.iter().filter(|variable| !variable.starts_with(b"PATH=")).cloned();
        let argv = [b"sh".to_vec(), b"-c".to_vec(), script.text].map(Some).to_vec();
        let next =
            Process { file: None, argv, env: others.chain([path]).collect(), cwd: script.directory, who: process.who.clone() };
        Some(Next::Process(Box::new(next), Caller::Other))
    }

    /// The C library of a program: that of its loader; without one, glibc is taken for granted nowhere.
    pub(super) fn libc(&self, path: &GuestPath) -> Option<Libc> {
        let EntryKind::File { facts, .. } = &self.rootfs.get(path)?.entry.kind else { return None };
        let Content::Elf(program) = &facts.content else { return None };
        program.interpreter.as_ref().map(|interpreter| elf::libc_of(interpreter.path()))
    }

    pub(super) fn wrapped(&self, row: &'static Wrapper, caller: Caller, arguments: &[Value], process: &Process) -> Next {
        let words = row.unpacked(arguments);
        let Some(split) = words.as_ref().and_then(|words| row.split(words)) else {
            return unsure("its words are not understood");
        };
        if split.program.is_empty() {
            return Next::Nothing;
        }
        let mut next = Process { file: None, argv: split.program.to_vec(), ..process.clone() };
        if let Some(root) = row.root.and_then(|place| split.own.get(place)) {
            if root.as_ref().is_none_or(|root| GuestPath::new(root) != GuestPath::root()) {
                return unsure("it runs in a root directory of its own");
            }
            next.cwd = GuestPath::root();
        }
        if split.clears {
            next.env.clear();
        }
        for assignment in &split.assignments {
            let name = assignment.split_inclusive(|byte| *byte == b'=').next().unwrap_or_default();
            next.env.retain(|variable| !variable.starts_with(name));
            next.env.push(assignment.to_vec());
        }
        match self.identity(row, &split, &process.who) {
            Ok(who) => next.who = who,
            Err(end) => return *end,
        }
        Next::Process(Box::new(next), caller)
    }

    /// As whom a wrapper runs its program.
    fn identity(&self, row: &Wrapper, split: &Split<'_>, before: &Credentials) -> Result<Credentials, Box<Next>> {
        let user = |text: &Value| {
            let text = text.as_ref().ok_or_else(|| Box::new(unsure(NOT_KNOWN)))?;
            let found = launch::credentials(&String::from_utf8_lossy(text), self.rootfs);
            let refused = |cause| Box::new(Next::End(Outcome::Refused { cause }, Voice::Program(None)));
            found.map_err(refused)
        };
        let named = row.user.and_then(|place| split.own.get(place));
        let mut who = match named.or(split.option(&row.users)) {
            Some(text) => user(text)?,
            None => before.clone(),
        };
        who.dac_override &= before.dac_override;
        // setpriv keeps the capabilities up to the exec, and with them the right to execute anything.
        if let Some(text) = split.option(&row.uids) {
            who.uid = user(text)?.uid;
        }
        if let Some(Some(text)) = split.option(&row.gids) {
            who.gid = user(&Some([b":", text.as_slice()].concat()))?.gid;
        }
        Ok(who)
    }

    /// `su` and `runuser`, where they start a user's shell.
    pub(super) fn logged_in(&self, arguments: &[Value], argv0: &[u8], process: &Process) -> Next {
        let Some(login) = Login::read(arguments) else { return unsure(NOT_KNOWN) };
        if process.who.uid != 0 {
            return unsure("it asks for a password");
        }
        if login.is_fresh {
            return unsure("it starts a login shell, whose profile is not read");
        }
        let user = String::from_utf8_lossy(&login.user).into_owned();
        let who = match launch::credentials(&user, self.rootfs) {
            Ok(who) => Credentials { dac_override: process.who.dac_override && who.uid == 0, ..who },
            Err(_) => {
                let text = format!(
                    "{}: user {} does not exist or the user entry does not contain all the required fields",
                    shown(argv0),
                    shown(&login.user)
                );
                return Next::End(Outcome::Refused { cause: Cause::NoSuchUser(user) }, Voice::Program(Some(text)));
            }
        };
        let shell = login.shell.clone().unwrap_or_else(|| launch::shell_of(&user, self.rootfs));
        let name = shell.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let next = Process { file: Some(shell), argv: login.argv(name), who, ..process.clone() };
        Next::Process(Box::new(next), Caller::Other)
    }

    /// What a script does that is a wrapper, such as `xvfb-run`.
    pub(super) fn scripted(&self, file: &[u8], words: &[Value], process: &Process) -> Option<Next> {
        let name = String::from_utf8_lossy(file.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned();
        let row = wrappers::wrapper(&name)?;
        Some(self.wrapped(row, Caller::Wrapper { row, argv0: file.to_vec(), is_busybox: false, libc: None }, words, process))
    }

    /// A language's interpreter: its file is there, or it says that it is not.
    pub(super) fn interpreted(&self, row: &wrappers::Interpreter, argv0: &[u8], arguments: &[Value], process: &Process) -> Next {
        let Some(file) = row.file(arguments) else { return Next::Nothing };
        let place = arguments.iter().position(|word| word.as_deref() == Some(file)).unwrap_or_default();
        let manager = String::from_utf8_lossy(file.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned();
        let words = arguments.get(place.saturating_add(1)..).unwrap_or_default();
        if let Some(next) = self.scripted(file, words, process) {
            return next;
        }
        if let Some(next) = self.packaged(&manager, words, process) {
            return next;
        }
        let is_there = |path: &[u8]| self.rootfs.resolve(&process.cwd, path, &process.who).is_ok();
        let ended = |ending: &String| [file, ending.as_bytes()].concat();
        if is_there(file)
            || row.endings.iter().any(|ending| is_there(&ended(ending)))
            || self.rootfs.is_partial()
            || self.rootfs.is_one_file()
        {
            return Next::Nothing;
        }
        let whole = if file.starts_with(b"/") { file.to_vec() } else { process.cwd.join(file).as_bytes().to_vec() };
        let text = row.says.replace("{argv0}", &shown(argv0)).replace("{name}", &shown(file)).replace("{whole}", &shown(&whole));
        let cause = Cause::ProgramMissing { file: GuestPath::new(whole) };
        Next::End(Outcome::Exits { code: row.exits, cause }, Voice::Program(Some(text)))
    }
}
