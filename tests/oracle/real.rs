//! Real programs of eight architectures, and of each its dynamic loader, to ask every kernel about.

use crate::packages::debian_file;
use crate::world::{Kind, Who, World};

/// Debian's architecture, where libc6 has the loader, and where programs look for it.
const LOADERS: [(&str, &str, &str); 8] = [
    ("amd64", "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2"),
    ("arm64", "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", "lib/ld-linux-aarch64.so.1"),
    ("armhf", "lib/arm-linux-gnueabihf/ld-linux-armhf.so.3", "lib/ld-linux-armhf.so.3"),
    ("armel", "lib/arm-linux-gnueabi/ld-linux.so.3", "lib/ld-linux.so.3"),
    ("i386", "lib/i386-linux-gnu/ld-linux.so.2", "lib/ld-linux.so.2"),
    ("s390x", "lib/s390x-linux-gnu/ld64.so.1", "lib/ld64.so.1"),
    ("ppc64el", "lib/powerpc64le-linux-gnu/ld64.so.2", "lib64/ld64.so.2"),
    ("mips64el", "lib/mips64el-linux-gnuabi64/ld.so.1", "lib64/ld.so.1"),
];

/// Each program started by itself, as a script's interpreter, with its loader and (in another root) without.
pub fn programs() -> World {
    let mut world = World::default();
    for directory in ["c", "p", "lib", "lib64", "s"] {
        world.directory(directory, 0o755);
    }
    for (architecture, packed, place) in LOADERS {
        let fixed = debian_file(architecture, "busybox-static", "bin/busybox");
        let dynamic = debian_file(architecture, "coreutils", "bin/true");
        let loader = debian_file(architecture, "libc6", packed);
        let library = debian_file(architecture, "zlib1g", &library_of(packed));
        for (name, bytes) in [("true", &fixed), ("dynamic", &dynamic), ("loader", &loader), ("library", &library)] {
            let path = format!("p/{architecture}-{name}");
            world.bytes(&path, bytes.clone());
            world.case(format!("/{path}"));
            world.case_as(Who::User, "/p", format!("{architecture}-{name}"));
            world.bytes(format!("s/{architecture}-{name}"), format!("#!/{path}\n"));
            world.case(format!("/s/{architecture}-{name}"));
            for length in [bytes.len() / 2, bytes.len() - 1] {
                world.program(&bytes[..length]);
            }
        }
        world.put(place, Kind::Bytes(loader), 0o755);
        // A loader's name that no file has.
        let mut lost = dynamic.clone();
        let at = lost.windows(place.len()).position(|bytes| bytes == place.as_bytes()).unwrap();
        lost[at..at + place.len()].fill(b'x');
        world.program(lost);
    }
    world
}

/// zlib lies beside the loader, but in `/usr`'s half or not, as packages have it.
fn library_of(packed: &str) -> String {
    let folder = packed.rsplit_once('/').unwrap().0;
    format!("{folder}/libz.so.1.2.13")
}
