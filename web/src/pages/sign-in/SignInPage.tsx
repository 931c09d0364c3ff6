import { useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { signInAddress } from "../../api/session";
import styles from "./sign-in.module.css";

export function SignInPage() {
  const { next = "/" } = useSearch({ from: "/sign-in" });
  useEffect(() => {
    document.title = "Sign in · PulseQueue";
  }, []);
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>Sign in to PulseQueue</h1>
          <p className="muted">Orders, sales and recurring revenue of your shop.</p>
        </div>
        <a className="button primary" href={signInAddress(next)}>
          Sign in
        </a>
        <p className="muted">
          {next === "/"
            ? "No account? Ask an administrator of your organisation for an invitation."
            : "You come back to the page where you were."}
        </p>
      </div>
    </main>
  );
}
