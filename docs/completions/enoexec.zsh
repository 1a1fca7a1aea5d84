#compdef enoexec

autoload -U is-at-least

_enoexec() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_enoexec_commands" \
"*::: :->enoexec" \
&& ret=0
    case $state in
    (enoexec)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:enoexec-command-$line[1]:"
        case $line[1] in
            (check)
_arguments "${_arguments_options[@]}" : \
'*--platform=[Only this platform of an index, such as linux/arm64 (repeatable; all by default)]:PLATFORM:_default' \
'*--node=[A node to run on, such as arm64, m8g.large, raspberry-pi-5, amd64,compat32=no, host, or a file with nodes (repeatable; by default a plain node of each image'\''s own platform)]:NODE:_default' \
'*--entrypoint=[Start this instead of the image'\''s Entrypoint and Cmd (repeatable\: one word each)]:WORD:_default' \
'*--cmd=[Pass these words instead of the image'\''s Cmd (repeatable\: one word each)]:WORD:_default' \
'--user=[Start as this user\[\:group\]]:USER:_default' \
'*--cap-drop=[Start without this capability\: DAC_OVERRIDE, with which root passes over permission bits, or ALL (repeatable)]:CAPABILITY:_default' \
'*--noexec=[Take what lies in this directory as mounted with noexec, as \`docker run --tmpfs DIR\` does (repeatable)]:DIR:_default' \
'--workdir=[Start in this directory]:DIR:_default' \
'*--env=[Set this variable (repeatable)]:KEY=VALUE:_default' \
'--max-layer-size=[Read no layer beyond so many uncompressed bytes]:SIZE:_default' \
'--max-layer-ratio=[Read no layer beyond so many times its stored bytes, from 16 GiB on]:TIMES:_default' \
'--max-layer-entries=[Read no layer beyond so many entries]:COUNT:_default' \
'--format=[How to print the report]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/report-v1.json"
sarif\:"For code scanning\: SARIF 2.1.0"
github\:"Annotations in a GitHub workflow'\''s log"
gitlab\:"GitLab'\''s code quality report"
junit\:"JUnit'\''s XML, for any CI system"
markdown\:"Markdown, for a step summary or a comment"
html\:"One page to read and search in a browser, offline"))' \
'*--output=[Write the report to a file too (repeatable)]:FORMAT=PATH:_default' \
'--dockerfile=[The Dockerfile that the images were built from\: sarif, github and gitlab show findings in images at its lines]:FILE:_files' \
'--cache=[Where to remember what the layers of registries hold\: a directory, or a server'\''s URL for GET and PUT \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--username=[Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD]:USER:_default' \
'--authfile=[Take credentials from this file only, of the form of ~/.docker/config.json]:FILE:_files' \
'*--mirror=[Ask this mirror first\: \[REGISTRY=\]HOST\[/PATH\], of Docker Hub by default (repeatable)]:MIRROR:_default' \
'*--insecure-registry=[Believe any certificate of this registry, and speak plain HTTP where it does\: HOST\[\:PORT\] (repeatable)]:HOST:_default' \
'*--ca-cert=[Believe certificates of the authorities in this file too, in PEM (repeatable)]:FILE:_files' \
'--timeout=[Give up on a connection that takes, or is silent for, so many seconds]:SECONDS:_default' \
'--retries=[Try again so often what fails in a way that may pass]:TIMES:_default' \
'--fail-on=[The least severity that makes the exit code 1]:SEVERITY:((info\:"Any finding"
warning\:"Warnings and errors"
error\:"Errors"
never\:"Nothing\: report only"))' \
'--min-confidence=[Report only what is at least this sure]:CONFIDENCE:((low\:"Guesses too"
medium\:"What is likely"
high\:"What is certain"))' \
'--baseline=[Do not report what this file, of --write-baseline, lists]:FILE:_files' \
'--write-baseline=[Write what is found to this file, and report nothing]:FILE:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(--verify-diffids)--entrypoint-only[Read no more of an image than tells how it starts, from the top layer down, and judge no other file]' \
'--verify-diffids[Compute every layer'\''s DiffID, also where a descriptor'\''s digest stands for the bytes already]' \
'--no-cache[Read every layer, and remember nothing]' \
'--password-stdin[Read the password from standard input]' \
'--offline[Ask no registry]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::targets -- What to look at\: see below:_default' \
&& ret=0
;;
(inspect)
_arguments "${_arguments_options[@]}" : \
'*--platform=[Only this platform of an index, such as linux/arm64 (repeatable; all by default)]:PLATFORM:_default' \
'*--node=[A node to run on, such as arm64, m8g.large, raspberry-pi-5, amd64,compat32=no, host, or a file with nodes (repeatable; by default a plain node of each image'\''s own platform)]:NODE:_default' \
'*--entrypoint=[Start this instead of the image'\''s Entrypoint and Cmd (repeatable\: one word each)]:WORD:_default' \
'*--cmd=[Pass these words instead of the image'\''s Cmd (repeatable\: one word each)]:WORD:_default' \
'--user=[Start as this user\[\:group\]]:USER:_default' \
'*--cap-drop=[Start without this capability\: DAC_OVERRIDE, with which root passes over permission bits, or ALL (repeatable)]:CAPABILITY:_default' \
'*--noexec=[Take what lies in this directory as mounted with noexec, as \`docker run --tmpfs DIR\` does (repeatable)]:DIR:_default' \
'--workdir=[Start in this directory]:DIR:_default' \
'*--env=[Set this variable (repeatable)]:KEY=VALUE:_default' \
'--max-layer-size=[Read no layer beyond so many uncompressed bytes]:SIZE:_default' \
'--max-layer-ratio=[Read no layer beyond so many times its stored bytes, from 16 GiB on]:TIMES:_default' \
'--max-layer-entries=[Read no layer beyond so many entries]:COUNT:_default' \
'--format=[How to print the report]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/report-v1.json"
sarif\:"For code scanning\: SARIF 2.1.0"
github\:"Annotations in a GitHub workflow'\''s log"
gitlab\:"GitLab'\''s code quality report"
junit\:"JUnit'\''s XML, for any CI system"
markdown\:"Markdown, for a step summary or a comment"
html\:"One page to read and search in a browser, offline"))' \
'*--output=[Write the report to a file too (repeatable)]:FORMAT=PATH:_default' \
'--dockerfile=[The Dockerfile that the images were built from\: sarif, github and gitlab show findings in images at its lines]:FILE:_files' \
'--cache=[Where to remember what the layers of registries hold\: a directory, or a server'\''s URL for GET and PUT \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--username=[Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD]:USER:_default' \
'--authfile=[Take credentials from this file only, of the form of ~/.docker/config.json]:FILE:_files' \
'*--mirror=[Ask this mirror first\: \[REGISTRY=\]HOST\[/PATH\], of Docker Hub by default (repeatable)]:MIRROR:_default' \
'*--insecure-registry=[Believe any certificate of this registry, and speak plain HTTP where it does\: HOST\[\:PORT\] (repeatable)]:HOST:_default' \
'*--ca-cert=[Believe certificates of the authorities in this file too, in PEM (repeatable)]:FILE:_files' \
'--timeout=[Give up on a connection that takes, or is silent for, so many seconds]:SECONDS:_default' \
'--retries=[Try again so often what fails in a way that may pass]:TIMES:_default' \
'*--exec=[Predict what execve says of this path inside the image, exactly as it is written (repeatable)]:PATH:_default' \
'--exec-from=[Predict every path of this file, one a line (\`-\` is standard input)]:FILE:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(--verify-diffids)--entrypoint-only[Read no more of an image than tells how it starts, from the top layer down, and judge no other file]' \
'--verify-diffids[Compute every layer'\''s DiffID, also where a descriptor'\''s digest stands for the bytes already]' \
'--no-cache[Read every layer, and remember nothing]' \
'--password-stdin[Read the password from standard input]' \
'--offline[Ask no registry]' \
'(--entrypoint-only)--files[List every file that is code]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::targets -- What to look at\: see below:_default' \
&& ret=0
;;
(lint)
_arguments "${_arguments_options[@]}" : \
'--diff-base=[Report only what lies in lines that are new since this commit]:REF:_default' \
'*--platform=[A platform that is built, such as linux/arm64 (repeatable; by default linux/amd64 and linux/arm64)]:PLATFORM:_default' \
'--target=[The stage that is shipped (by default the last one)]:STAGE:_default' \
'--fail-on=[The least severity that makes the exit code 1]:SEVERITY:((info\:"Any finding"
warning\:"Warnings and errors"
error\:"Errors"
never\:"Nothing\: report only"))' \
'--min-confidence=[Report only what is at least this sure]:CONFIDENCE:((low\:"Guesses too"
medium\:"What is likely"
high\:"What is certain"))' \
'--baseline=[Do not report what this file, of --write-baseline, lists]:FILE:_files' \
'--write-baseline=[Write what is found to this file, and report nothing]:FILE:_files' \
'--format=[How to print the report]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/report-v1.json"
sarif\:"For code scanning\: SARIF 2.1.0"
github\:"Annotations in a GitHub workflow'\''s log"
gitlab\:"GitLab'\''s code quality report"
junit\:"JUnit'\''s XML, for any CI system"
markdown\:"Markdown, for a step summary or a comment"
html\:"One page to read and search in a browser, offline"))' \
'*--output=[Write the report to a file too (repeatable)]:FORMAT=PATH:_default' \
'--dockerfile=[The Dockerfile that the images were built from\: sarif, github and gitlab show findings in images at its lines]:FILE:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'--fix[Mend the files, where it is certain how]' \
'(--fix)--diff[Print what --fix would change, as a unified diff]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::paths -- Files, directories to look for Dockerfiles in, or - for standard input \[default\: .\]:_files' \
&& ret=0
;;
(triage)
_arguments "${_arguments_options[@]}" : \
'-n+[The pod'\''s namespace (by default that of kubectl'\''s context)]:NAMESPACE:_default' \
'--namespace=[The pod'\''s namespace (by default that of kubectl'\''s context)]:NAMESPACE:_default' \
'--context=[The context of kubectl that is meant (by default its current one)]:CONTEXT:_default' \
'*--image=[The image that was started, as a TARGET of \`check\` (repeatable)\: what crashed is predicted and held against the log]:TARGET:_default' \
'*--node=[The node that it ran on, as for \`check\` (repeatable; by default the pod'\''s own, where that is known)]:NODE:_default' \
'--format=[How to print what was found]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/triage-v1.json"))' \
'--cache=[Where to remember what the layers of registries hold\: a directory, or a server'\''s URL for GET and PUT \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--username=[Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD]:USER:_default' \
'--authfile=[Take credentials from this file only, of the form of ~/.docker/config.json]:FILE:_files' \
'*--mirror=[Ask this mirror first\: \[REGISTRY=\]HOST\[/PATH\], of Docker Hub by default (repeatable)]:MIRROR:_default' \
'*--insecure-registry=[Believe any certificate of this registry, and speak plain HTTP where it does\: HOST\[\:PORT\] (repeatable)]:HOST:_default' \
'*--ca-cert=[Believe certificates of the authorities in this file too, in PEM (repeatable)]:FILE:_files' \
'--timeout=[Give up on a connection that takes, or is silent for, so many seconds]:SECONDS:_default' \
'--retries=[Try again so often what fails in a way that may pass]:TIMES:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'--no-cache[Read every layer, and remember nothing]' \
'--password-stdin[Read the password from standard input]' \
'--offline[Ask no registry]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::input -- What was seen\: a file, - for standard input, or what crashed in a cluster\: POD, deploy/NAME:_default' \
&& ret=0
;;
(preflight)
_arguments "${_arguments_options[@]}" : \
'*-f+[Manifests, in YAML or JSON, or - for standard input\: \`helm template … | enoexec preflight -f -\` (repeatable)]:FILE:_files' \
'*--filename=[Manifests, in YAML or JSON, or - for standard input\: \`helm template … | enoexec preflight -f -\` (repeatable)]:FILE:_files' \
'*--nodes=[The nodes\: what \`kubectl get node -o json\` or \`enoexec node\` prints (repeatable; by default kubectl is asked)]:FILE:_files' \
'(--nodes)--context=[The context of kubectl whose nodes are meant]:CONTEXT:_default' \
'*--image=[Where an image is to be had that is not in its registry yet, such as shop/api\:1=oci-archive\:api.tar (repeatable)]:NAME=TARGET:_default' \
'--fail-on=[The least severity that makes the exit code 1]:SEVERITY:((info\:"Any finding"
warning\:"Warnings and errors"
error\:"Errors"
never\:"Nothing\: report only"))' \
'--min-confidence=[Report only what is at least this sure]:CONFIDENCE:((low\:"Guesses too"
medium\:"What is likely"
high\:"What is certain"))' \
'--baseline=[Do not report what this file, of --write-baseline, lists]:FILE:_files' \
'--write-baseline=[Write what is found to this file, and report nothing]:FILE:_files' \
'--format=[How to print the report]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/report-v1.json"
sarif\:"For code scanning\: SARIF 2.1.0"
github\:"Annotations in a GitHub workflow'\''s log"
gitlab\:"GitLab'\''s code quality report"
junit\:"JUnit'\''s XML, for any CI system"
markdown\:"Markdown, for a step summary or a comment"
html\:"One page to read and search in a browser, offline"))' \
'*--output=[Write the report to a file too (repeatable)]:FORMAT=PATH:_default' \
'--dockerfile=[The Dockerfile that the images were built from\: sarif, github and gitlab show findings in images at its lines]:FILE:_files' \
'--cache=[Where to remember what the layers of registries hold\: a directory, or a server'\''s URL for GET and PUT \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--username=[Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD]:USER:_default' \
'--authfile=[Take credentials from this file only, of the form of ~/.docker/config.json]:FILE:_files' \
'*--mirror=[Ask this mirror first\: \[REGISTRY=\]HOST\[/PATH\], of Docker Hub by default (repeatable)]:MIRROR:_default' \
'*--insecure-registry=[Believe any certificate of this registry, and speak plain HTTP where it does\: HOST\[\:PORT\] (repeatable)]:HOST:_default' \
'*--ca-cert=[Believe certificates of the authorities in this file too, in PEM (repeatable)]:FILE:_files' \
'--timeout=[Give up on a connection that takes, or is silent for, so many seconds]:SECONDS:_default' \
'--retries=[Try again so often what fails in a way that may pass]:TIMES:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'--no-cache[Read every layer, and remember nothing]' \
'--password-stdin[Read the password from standard input]' \
'--offline[Ask no registry]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(explain)
_arguments "${_arguments_options[@]}" : \
'--format=[How to print what an error'\''s text can mean]:FORMAT:((human\:"For people"
json\:"For programs\: version 1 of schema/triage-v1.json"))' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':what -- A rule'\''s id or name, such as EX101, or the text of an error:_default' \
&& ret=0
;;
(rules)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(node)
_arguments "${_arguments_options[@]}" : \
'--format=[How to print it]:FORMAT:((toml\:"For people and for --node"
json\:"For programs and for --node"))' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'--probe[Also start a tiny program of each machine type, which only exits, to learn what really runs]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'--show[Print every setting that a file may have, with its value and where it comes from\: a flag is over a variable, a variable over the file]' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':shell -- Which shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::folder -- The folder:_files' \
&& ret=0
;;
(cache)
_arguments "${_arguments_options[@]}" : \
'--cache=[Where it lies \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_enoexec__subcmd__cache_commands" \
"*::: :->cache" \
&& ret=0

    case $state in
    (cache)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:enoexec-cache-command-$line[1]:"
        case $line[1] in
            (path)
_arguments "${_arguments_options[@]}" : \
'--cache=[Where it lies \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(clean)
_arguments "${_arguments_options[@]}" : \
'--cache=[Where it lies \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
'--max-size=[How much may stay, such as 500MiB]:SIZE:_default' \
'--cache=[Where it lies \[default\: \$XDG_CACHE_HOME/enoexec or ~/.cache/enoexec\]]:DIR|URL:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Always"
never\:"Never"))' \
'(--no-config)--config=[Read settings from this file \[default\: the nearest enoexec.toml, up to the repository'\''s top\]]:FILE:_files' \
'(-v --verbose)-q[Print findings only]' \
'(-v --verbose)--quiet[Print findings only]' \
'-v[Print more\: every hop, skipped entries, what is read]' \
'--verbose[Print more\: every hop, skipped entries, what is read]' \
'--no-config[Read no configuration file]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_enoexec__subcmd__cache__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:enoexec-cache-help-command-$line[1]:"
        case $line[1] in
            (path)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(clean)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_enoexec__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:enoexec-help-command-$line[1]:"
        case $line[1] in
            (check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(inspect)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(lint)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(triage)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(preflight)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(explain)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rules)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(node)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(cache)
_arguments "${_arguments_options[@]}" : \
":: :_enoexec__subcmd__help__subcmd__cache_commands" \
"*::: :->cache" \
&& ret=0

    case $state in
    (cache)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:enoexec-help-cache-command-$line[1]:"
        case $line[1] in
            (path)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(clean)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_enoexec_commands] )) ||
_enoexec_commands() {
    local commands; commands=(
'check:Will it exec? The gate\: every platform of the targets is judged' \
'inspect:Facts and predicted traces of the targets, without a verdict' \
'lint:Judge Dockerfiles\: what will fetch, build or ship for the wrong architecture' \
'triage:From a crash to its cause, the proof and the fix\: exit code 1 where a cause is found' \
'preflight:Every workload on every node that it may land on\: will it exec there?' \
'explain:Explain a rule, or an error that someone saw' \
'rules:List the rules' \
'node:What this machine can run, as a node file for --node' \
'config:Which configuration file holds, and which settings, with the source of each' \
'completions:Print what a shell needs to complete this command line' \
'man:Print the manual page, or write those of all commands to a folder' \
'cache:What is known of layers from earlier runs\: where it lies, and how to be rid of it' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'enoexec commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache_commands] )) ||
_enoexec__subcmd__cache_commands() {
    local commands; commands=(
'path:Print where it lies' \
'clean:Remove all that is in it' \
'prune:Remove what was of no use for the longest time' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'enoexec cache commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__clean_commands] )) ||
_enoexec__subcmd__cache__subcmd__clean_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache clean commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__help_commands] )) ||
_enoexec__subcmd__cache__subcmd__help_commands() {
    local commands; commands=(
'path:Print where it lies' \
'clean:Remove all that is in it' \
'prune:Remove what was of no use for the longest time' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'enoexec cache help commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__help__subcmd__clean_commands] )) ||
_enoexec__subcmd__cache__subcmd__help__subcmd__clean_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache help clean commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__help__subcmd__help_commands] )) ||
_enoexec__subcmd__cache__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache help help commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__help__subcmd__path_commands] )) ||
_enoexec__subcmd__cache__subcmd__help__subcmd__path_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache help path commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__help__subcmd__prune_commands] )) ||
_enoexec__subcmd__cache__subcmd__help__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache help prune commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__path_commands] )) ||
_enoexec__subcmd__cache__subcmd__path_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache path commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__cache__subcmd__prune_commands] )) ||
_enoexec__subcmd__cache__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec cache prune commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__check_commands] )) ||
_enoexec__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec check commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__completions_commands] )) ||
_enoexec__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec completions commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__config_commands] )) ||
_enoexec__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec config commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__explain_commands] )) ||
_enoexec__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec explain commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help_commands] )) ||
_enoexec__subcmd__help_commands() {
    local commands; commands=(
'check:Will it exec? The gate\: every platform of the targets is judged' \
'inspect:Facts and predicted traces of the targets, without a verdict' \
'lint:Judge Dockerfiles\: what will fetch, build or ship for the wrong architecture' \
'triage:From a crash to its cause, the proof and the fix\: exit code 1 where a cause is found' \
'preflight:Every workload on every node that it may land on\: will it exec there?' \
'explain:Explain a rule, or an error that someone saw' \
'rules:List the rules' \
'node:What this machine can run, as a node file for --node' \
'config:Which configuration file holds, and which settings, with the source of each' \
'completions:Print what a shell needs to complete this command line' \
'man:Print the manual page, or write those of all commands to a folder' \
'cache:What is known of layers from earlier runs\: where it lies, and how to be rid of it' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'enoexec help commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__cache_commands] )) ||
_enoexec__subcmd__help__subcmd__cache_commands() {
    local commands; commands=(
'path:Print where it lies' \
'clean:Remove all that is in it' \
'prune:Remove what was of no use for the longest time' \
    )
    _describe -t commands 'enoexec help cache commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__cache__subcmd__clean_commands] )) ||
_enoexec__subcmd__help__subcmd__cache__subcmd__clean_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help cache clean commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__cache__subcmd__path_commands] )) ||
_enoexec__subcmd__help__subcmd__cache__subcmd__path_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help cache path commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__cache__subcmd__prune_commands] )) ||
_enoexec__subcmd__help__subcmd__cache__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help cache prune commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__check_commands] )) ||
_enoexec__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help check commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__completions_commands] )) ||
_enoexec__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help completions commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__config_commands] )) ||
_enoexec__subcmd__help__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help config commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__explain_commands] )) ||
_enoexec__subcmd__help__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help explain commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__help_commands] )) ||
_enoexec__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help help commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__inspect_commands] )) ||
_enoexec__subcmd__help__subcmd__inspect_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help inspect commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__lint_commands] )) ||
_enoexec__subcmd__help__subcmd__lint_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help lint commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__man_commands] )) ||
_enoexec__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help man commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__node_commands] )) ||
_enoexec__subcmd__help__subcmd__node_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help node commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__preflight_commands] )) ||
_enoexec__subcmd__help__subcmd__preflight_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help preflight commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__rules_commands] )) ||
_enoexec__subcmd__help__subcmd__rules_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help rules commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__help__subcmd__triage_commands] )) ||
_enoexec__subcmd__help__subcmd__triage_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec help triage commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__inspect_commands] )) ||
_enoexec__subcmd__inspect_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec inspect commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__lint_commands] )) ||
_enoexec__subcmd__lint_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec lint commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__man_commands] )) ||
_enoexec__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec man commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__node_commands] )) ||
_enoexec__subcmd__node_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec node commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__preflight_commands] )) ||
_enoexec__subcmd__preflight_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec preflight commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__rules_commands] )) ||
_enoexec__subcmd__rules_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec rules commands' commands "$@"
}
(( $+functions[_enoexec__subcmd__triage_commands] )) ||
_enoexec__subcmd__triage_commands() {
    local commands; commands=()
    _describe -t commands 'enoexec triage commands' commands "$@"
}

if [ "$funcstack[1]" = "_enoexec" ]; then
    _enoexec "$@"
else
    compdef _enoexec enoexec
fi
