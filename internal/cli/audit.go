package cli

import (
	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
)

const auditExample = `  ostiary audit --since 24h
  ostiary audit --object client:3bchk5hsx6v58dkn288nbybmxfyk32u7 --all --json`

func auditCommand() *cobra.Command {
	return pagedCommand(
		&cobra.Command{Use: "audit", Short: "List who changed what, when and from where, the newest first", Example: auditExample, Args: cobra.NoArgs}, remoteCommand,
		[]string{"at", "actor", "action", "object", "outcome", "address"},
		[]filter{
			{name: "actor", usage: "only events of this `actor`, as client:ID"},
			{name: "action", usage: "only this `action`, as client.create; client. stands for all that begin so"},
			{name: "object", usage: "only events about this `object`, as client:ID"},
			{name: "since", usage: "only events since this `time`, or in the last: 24h", moment: true},
			{name: "until", usage: "only events before this `time`, or before so long ago: 24h", moment: true},
		},
		listing((*apiclient.API).ListAuditEvents),
	)
}
