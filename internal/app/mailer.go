package app

import (
	"fmt"
	"os"
	"strings"

	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/mail"
)

// mailer gives who sends mail; nil where no mail server is configured.
func (a *App) mailer() (signin.Mailer, error) {
	c := a.config
	if c.SMTPURL == "" {
		return nil, nil //nolint:nilnil // no mail is sent
	}
	password := ""
	if c.SMTPPasswordFile != "" {
		text, err := os.ReadFile(c.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("--smtp-password-file: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	sender, err := mail.New(c.SMTPURL, password, c.MailFrom)
	if err != nil {
		return nil, fmt.Errorf("--smtp-url: %w", err)
	}
	return sender, nil
}
