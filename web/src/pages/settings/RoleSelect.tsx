import type { Role } from "../../api/organization";
import { words } from "../../lib/format";

const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

interface RoleSelectProps {
  label: string;
  value: Role;
  change: (role: Role) => void;
  isDisabled?: boolean;
}

export function RoleSelect({ label, value, change, isDisabled }: RoleSelectProps) {
  return (
    <select
      className="select"
      aria-label={label}
      value={value}
      disabled={isDisabled}
      onChange={(event) => change(event.target.value as Role)}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {words(role)}
        </option>
      ))}
    </select>
  );
}
