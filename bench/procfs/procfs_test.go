//go:build linux

package procfs_test

import (
	"os"
	"testing"
	"time"

	"github.com/ostiary/ostiary/bench/procfs"
)

func TestParseStat(t *testing.T) {
	const tail = " S 41 4242 4242 0 -1 4194304 5127 0 0 0 1234 566 70 8 20 0 9 0 55 1 2 3"
	for _, c := range []struct {
		name, text string
		want       procfs.Stat
		bad        bool
	}{
		{name: "plain", text: "4242 (postgres)" + tail, want: procfs.Stat{Parent: 41, Own: 18 * time.Second, Children: 780 * time.Millisecond}},
		{name: "brackets in the name", text: "4242 (a) b) (c)" + tail, want: procfs.Stat{Parent: 41, Own: 18 * time.Second, Children: 780 * time.Millisecond}},
		{name: "short", text: "4242 (x) S 41 1 2 3", bad: true},
		{name: "no name", text: "4242 x" + tail, bad: true},
		{name: "no number", text: "4242 (x) S x 4242 4242 0 -1 4194304 5127 0 0 0 1234 566 70 8", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := procfs.ParseStat([]byte(c.text))
			if (err != nil) != c.bad || got != c.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (init) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 3 4 5"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = procfs.ParseStat(text) })
}

func TestParseFields(t *testing.T) {
	got := procfs.ParseFields([]byte("Name:\tostiary\nVmHWM:\t   2048 kB\nVmRSS:\t 1024 kB\nrchar: 7\nempty:\nnone\n"))
	if len(got) != 3 || got["VmHWM"] != 2048 || got["VmRSS"] != 1024 || got["rchar"] != 7 {
		t.Errorf("got %v", got)
	}
}

// TestOwnProcess reads what this kernel writes of the test itself.
func TestOwnProcess(t *testing.T) {
	pid := os.Getpid()
	// Spends CPU time until the kernel's clock has ticked.
	for {
		cpu, err := procfs.CPU(pid)
		if err != nil {
			t.Fatal(err)
		}
		if cpu > 0 {
			break
		}
	}
	tree, err := procfs.TreeCPU(os.Getppid())
	if err != nil || tree == 0 {
		t.Errorf("the parent's tree has used %v, %v", tree, err)
	}
	memory, err := procfs.ReadMemory(pid)
	if err != nil || memory.Now < 1<<20 || memory.Peak < memory.Now {
		t.Errorf("memory %+v, %v", memory, err)
	}
	if _, err := procfs.Written(pid); err != nil {
		t.Error(err)
	}
	if _, n := procfs.Processor(); n < 1 {
		t.Errorf("%d processors", n)
	}
	if _, err := procfs.CPU(1 << 30); err == nil {
		t.Error("a process that cannot be has CPU time")
	}
}
