//! The binary, called as from a shell: with nothing of this process's environment.

use assert_cmd::Command;

/// (exit code, standard output, standard error). `set`: what else the call is given, an environment or a folder to stand in.
pub fn dawnwatch(args: &[&str], set: impl FnOnce(&mut Command) -> &mut Command) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("dawnwatch").unwrap();
    set(command.env_clear().args(args));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
