-- +goose Up
-- An index a feature: one index of all would be walked from end to end for a
-- feature that few clients have.
CREATE INDEX client_feature_1 ON client (application_id, sequence, features) WHERE features & 1 = 1;
CREATE INDEX client_feature_2 ON client (application_id, sequence, features) WHERE features & 2 = 2;
CREATE INDEX client_feature_4 ON client (application_id, sequence, features) WHERE features & 4 = 4;
CREATE INDEX client_feature_8 ON client (application_id, sequence, features) WHERE features & 8 = 8;
CREATE INDEX client_feature_16 ON client (application_id, sequence, features) WHERE features & 16 = 16;
CREATE INDEX client_feature_32 ON client (application_id, sequence, features) WHERE features & 32 = 32;
DROP INDEX client_features;
