# SPDX-License-Identifier: GPL-2.0
# Windows of `xtask vm run --lines`: what the CPUs do between `window +` and
# `window -` is counted. Source it after lib.sh.

WINDOW=$(mktemp -d)

# The nop that scripts/lines/src/marker.rs knows.
for sign in + -; do
	cat >"$WINDOW/main.c" <<-C
		int main(void)
		{
			__asm__ volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"smp$sign\"");
			return 0;
		}
	C
	gcc -o "$WINDOW/$sign" "$WINDOW/main.c" || die "gcc"
done

window() { "$WINDOW/$1"; }
