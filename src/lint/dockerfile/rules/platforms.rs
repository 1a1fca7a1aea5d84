//! Stages on the wrong platform.

use super::super::super::Subject;
use super::super::build::Build;
use super::super::stages::{self, Base, RunsOn};
use super::{Hit, words};
use crate::base::escape;
use crate::finding::Severity;
use crate::format::dockerfile::Instruction;

pub(super) fn hits(subject: &Subject<'_>, build: &Build) -> Vec<Hit> {
    let mut hits = Vec::new();
    for number in &build.followed {
        let Some(stage) = build.stages.get(*number).filter(|stage| !stage.is_windows) else { continue };
        let Some(from) = subject.dockerfile.instructions.get(stage.from) else { continue };
        let is_shipped = build.shipped == Some(*number);
        match (&stage.runs_on, &stage.base) {
            (RunsOn::Build, _) if is_shipped => {
                let hit = shipped(build, stage.is_inherited, from);
                // A last stage that only names another is often there for those who build no image at all.
                let is_alias = stage.is_inherited && stage.instructions.is_empty();
                hits.push(if is_alias { hit.at(Severity::Warning) } else { hit });
            }
            (RunsOn::Fixed(own), _) if is_shipped && !stage.is_inherited && *own != build.platform.architecture => {
                let says = format!("this is shipped as linux/{}: the platform is fixed", escape(own));
                let help = "leave `--platform` out, unless the image is meant for this platform only";
                hits.push(Hit::new("fixed-platform", place(from), says).with_help(help));
            }
            (RunsOn::Single(own), Base::Image(image)) if *own != build.platform.architecture => {
                let Some(token) = stages::single(image) else { continue };
                let span = image.origin(token.range.clone()).unwrap_or_else(|| from.span.clone());
                let says = format!("this image has only linux/{}", escape(own));
                let help = "use the image's name without the architecture, if it has one for all platforms, or a stage for each: `FROM base-${TARGETARCH}`";
                hits.push(Hit::new("foreign-base-image", span, says).with_help(help).with_value(words::shown(image)));
            }
            _ => {}
        }
    }
    hits
}

fn shipped(build: &Build, is_inherited: bool, from: &Instruction) -> Hit {
    let says = if is_inherited {
        "the image is of the builder's platform: its last stage is made from one on $BUILDPLATFORM"
    } else {
        "the image is of the builder's platform: its last stage is on $BUILDPLATFORM"
    };
    let help = format!("leave `--platform` out in the stage that is shipped, so that it is {}", build.platform);
    Hit::new("build-platform-shipped", place(from), says).with_help(help)
}

/// The flag, or what stands behind FROM.
fn place(from: &Instruction) -> std::ops::Range<usize> {
    from.flag("platform").map_or_else(|| from.text.span(), |flag| flag.span.clone())
}
