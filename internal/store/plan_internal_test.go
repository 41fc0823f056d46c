package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/core/user"
)

// No statement that is run again and again reads a table from end to end: with
// 1,000,000 clients and 10,000,000 families none may.
func TestPlans(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	checkPlans(t, db, map[string]planned{
		"family":             {selectFamily, 1, "USING PRIMARY KEY"},
		"revoke":             {revokeFamily, 5, "USING PRIMARY KEY"},
		"expired families":   {removeExpired, 2, "family_removal"},
		"dead families":      {db.dialect.dead, 1, "family_era"},
		"rotate":             {rotateFamily, 15, "USING PRIMARY KEY"},
		"dead users":         {db.dialect.deadOfUsers, 1, "family_user"},
		"families of a user": {scanByUser, 4, "family_user"},
		"end of a user":      {scanByUserEnd, 4, "family_user"},
		"oldest of many":     {replaceFamilies, 6, "family_never"},
		"client":             {selectClient, 2, "client_id"},
		"list of clients":    {listClients, 3, "client_sequence"},
		"list by feature":    {listClientsFeature(6), 5, "client_feature_2 "},
		"name taken":         {selectInUse[client.NameOfAnyVersion].texts[db.dialect].one, 5, "client_name (application_id=? AND name_key=?)"},
		"names taken":        {selectInUse[client.NameOfAnyVersion].texts[db.dialect].many, 1, "client_name (application_id=? AND name_key=?)"},
		"name and version":   {selectInUse[client.NameAndVersion].texts[db.dialect].one, 5, "client_name (application_id=? AND name_key=? AND version=?)"},
		"names and versions": {selectInUse[client.NameAndVersion].texts[db.dialect].many, 1, "client_name (application_id=? AND name_key=? AND version=?)"},
		"expired secrets":    {removeExpiredSecrets, 2, "client_secret_expiry"},
		"settings":           {selectDocuments(db.dialect), 2, "USING PRIMARY KEY"},
		"events, newest on":  {searchEvents, 14, "(application_id=? AND at>? AND at<?)"},
		"events, window":     {eventWindow, 5, "audit_event_at"},
		"clients, window":    {windowEnd, 3, "client_sequence"},
		"feature, window":    {windowEndFeature(1), 3, "COVERING INDEX client_feature_1 "},
		"clients, filtered":  {inWindow(db.dialect, 0), 13, "client_sequence"},
		"feature, filtered":  {inWindow(db.dialect, 32), 13, "client_feature_32 "},
		"clients by name":    {clientsByName, 5, "client_name"},
		"last uses":          {selectLast(db.dialect), 1, "SEARCH c USING INTEGER PRIMARY KEY"},
		"unused clients":     {selectUnused, 7, "client_unused (application_id=? AND inactive=? AND <expr>>? AND <expr><?)"},
		"client's counts":    {selectClientCounts(db.dialect, usage.Hourly), 2, "USING PRIMARY KEY"},
		"totals":             {selectTotals(db.dialect, usage.Daily), 2, "USING PRIMARY KEY"},
		"denials":            {selectDenials, 4, "usage_client_denied (hour>? AND hour<?)"},
		"day's use":          {selectDayUse, 2, "INTEGER PRIMARY KEY"},
		"old counts":         {removeClientCounts, 2, "USING PRIMARY KEY"},
		"old totals":         {removeTotals, 2, "USING PRIMARY KEY"},
		"old days":           {removeDays, 2, "usage_day_day"},
		"add uses":           {addUses(db.dialect), 1, "SEARCH client USING INTEGER PRIMARY KEY"},
		"add secret uses":    {addSecretUses(db.dialect), 1, "USING PRIMARY KEY"},
		"all families":       {scanAll, 2, "USING PRIMARY KEY"},
		"families of an era": {scanEra, 3, "family_era"},
		"end of a page":      {scanAllEnd, 2, "USING PRIMARY KEY"},
		"end of an era":      {scanEraEnd, 3, "family_era"},
		"count live":         {countLive, 4, "family_era"},
		"clients by ids":     {pickClients(db.dialect), 2, "client_id"},
		"expiring secrets":   {expiringSoon, 7, "client_secret_expiry (expires_at>? AND expires_at<?)"},
		"clients, texts":     {clientTexts(db.dialect), 3, "client_sequence"},
	})
}

// With 1,000,000 users.
func TestPlansOfUsers(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	checkPlans(t, db, map[string]planned{
		"user":               {selectUser, 2, "user_record_uuid"},
		"by address":         {selectUserByEmail, 2, "user_record_email"},
		"address taken":      {userEmailTaken, 3, "user_record_email"},
		"by word":            {usersByTerm, 5, "USING PRIMARY KEY"},
		"by role":            {usersByRole, 4, "USING PRIMARY KEY"},
		"inactive":           {usersInactive, 3, "user_record_inactive"},
		"all":                {usersAll, 3, "user_record_sequence"},
		"by sequence":        {usersOf(db.dialect, user.Search{}), 2, "sequence=?"},
		"of a role":          {usersOf(db.dialect, user.Search{Role: "clerk"}), 4, "USING PRIMARY KEY (application_id=? AND role=? AND user_sequence=?)"},
		"those who are gone": {removedUsers, 2, "removed_user_since"},
	})
}

// With 1,000,000 sessions, and as many consents.
func TestPlansOfSessions(t *testing.T) {
	t.Parallel()
	db, _ := opened(t, Options{})
	checkPlans(t, db, map[string]planned{
		"session":              {selectSignedIn, 1, "SEARCH x USING PRIMARY KEY"},
		"sessions of a user":   {listSignedIn, 2, "signed_in_user"},
		"too many of a user":   {selectSIDs, 2, "signed_in_user"},
		"expired":              {selectExpired, 2, "signed_in_expiry"},
		"overlong":             {selectOverlong, 4, "signed_in_user"},
		"shorten":              {shortenSignedIn(db.dialect), 3, "SEARCH signed_in USING INDEX sqlite_autoindex_signed_in"},
		"seen":                 {updateSeen(db.dialect), 1, "SEARCH signed_in USING INDEX sqlite_autoindex_signed_in"},
		"end":                  {deleteSignedIn(db.dialect), 1, "SEARCH signed_in USING INDEX sqlite_autoindex_signed_in"},
		"notices of an end":    {insertNotices(db.dialect), 3, "SEARCH signed_in_client USING PRIMARY KEY"},
		"clients of an end":    {deleteSignedInClients(db.dialect), 1, "SEARCH signed_in_client USING PRIMARY KEY"},
		"notices":              {selectNotices, 2, "logout_notice_due"},
		"consent":              {selectConsent, 4, "consent_user"},
		"consent by id":        {selectConsentByID, 2, "consent_id"},
		"consents":             {listConsents, 3, "consent_list"},
		"consents of a user":   {listConsentsOfUser, 2, "consent_user"},
		"consents of a client": {listConsentsOfClient, 4, "consent_client"},
		"consents of the gone": {removeConsents, 2, "consent_client"},
		"credentials":          {listCredentials, 2, "USING PRIMARY KEY"},
		"passkey":              {selectCredentialByKey, 2, "credential_key"},
		"recovery codes":       {selectRecovery, 2, "USING PRIMARY KEY"},
		"link":                 {selectLink, 3, "SEARCH l USING PRIMARY KEY"},
		"old links":            {removeLinks, 2, "link_expiry"},
	})
}

// planned is a statement, how many parameters it has, and the index that it is to
// use.
type planned struct {
	text string
	args int
	uses string
}

func checkPlans(t *testing.T, db *DB, statements map[string]planned) {
	t.Helper()
	for name, test := range statements {
		t.Run(name, func(t *testing.T) {
			args := make([]any, test.args)
			for i := range args {
				args[i] = 1
			}
			plan, err := readAll(t.Context(), db, func(row scanner) (detail string, err error) {
				var id, parent, unused int
				err = row.Scan(&id, &parent, &unused, &detail)
				return detail, err
			}, "EXPLAIN QUERY PLAN "+test.text, args...)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(plan, "\n")
			if !strings.Contains(all, test.uses) {
				t.Errorf("does not use %s:\n%s", test.uses, all)
			}
			for _, step := range plan {
				// these and w are what a limit was put to, d the dead eras of ten minutes, asked and
				// the constant row the statement's own parameters; the last term of an order sorts
				// the secrets of one client.
				small := []string{"SCAN these", "SCAN w", "SCAN d", "SCAN asked", "SCAN CONSTANT ROW"}
				scans := strings.HasPrefix(step, "SCAN ") && !slices.Contains(small, step) && !strings.Contains(step, "json_each")
				if scans || step == "USE TEMP B-TREE FOR ORDER BY" {
					t.Errorf("reads or sorts too much:\n%s", all)
				}
			}
		})
	}
}
